import type { Origin } from '../request/origin.ts';
import type { Entry, Submission } from './entry.ts';

const namedAtMost = 8; // ids of a batch that travel and are logged; a client may make one of 512 characters

/** The requests that wait for these entries, each once. */
export function originsOf(entries: readonly Entry[]): readonly Origin[] {
  const submissions = new Set<Submission>();
  for (const { waiters } of entries) for (const { submission } of waiters) submissions.add(submission);
  return [...submissions].flatMap(({ origin }) => origin ?? []);
}

/** Ids of the first few. */
export function nameRequests(origins: readonly Origin[]): readonly string[] {
  return origins.slice(0, namedAtMost).map(({ requestId }) => requestId);
}

/** Tells each request of a batch that it runs, and beside whom. */
export function noteBatch(origins: readonly Origin[], requestIds: readonly string[], startedMs: number): void {
  for (const { timeline, requestId } of origins) {
    if (timeline === undefined) continue;
    timeline.batches++;
    timeline.startedAtMs ??= startedMs;
    if (origins.length === 1) continue;
    const neighbours = (timeline.neighbours ??= new Set());
    for (const id of requestIds) if (id !== requestId && neighbours.size < namedAtMost) neighbours.add(id);
  }
}
