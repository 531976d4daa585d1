import type { Clock } from './clock.ts';
import type { ModelHost } from './model-host.ts';

export interface PreloadOptions {
  readonly host: Pick<ModelHost, 'get' | 'load' | 'readyRunners'>;
  readonly names: readonly string[];
  readonly clock: Clock;
}

/** What keeps a server from being ready, by name of the model. */
export interface PreloadProblems {
  readonly loading: readonly string[];
  /** Every runner of it has stopped; they are being started again. */
  readonly restarting: readonly string[];
  readonly failed: readonly string[];
}

export interface PreloadWatch {
  problems(): PreloadProblems;
  close(): void;
}

const checkMs = 2_000;
const firstRetryMs = 10_000;
const longestRetryMs = 300_000;

/**
 * Loads the models that are to be there before anyone asks. One that fails is tried again: a server that is not ready
 * is sent no requests, so nothing else would.
 */
export function watchPreload({ host, names, clock }: PreloadOptions): PreloadWatch {
  const waits = new Map<string, { readonly untilMs: number; readonly ms: number }>();
  const load = (name: string): void => void host.load(name).catch(() => {}); // the host's observer logs it
  const isIn = (...states: readonly string[]) => names.filter((name) => states.includes(host.get(name)?.state ?? ''));
  const problems = (): PreloadProblems => ({
    loading: isIn('downloading', 'loading'),
    restarting: isIn('ready').filter((name) => host.readyRunners(name) === 0),
    failed: isIn('failed'),
  });
  const check = (): void => {
    const { failed, restarting, loading } = problems();
    for (const name of names) {
      if (failed.includes(name) || restarting.includes(name)) retry(name);
      else if (!loading.includes(name)) waits.delete(name);
    }
    cancel = clock.after(checkMs, check);
  };
  /** At growing distances, and not at the first look: runners mostly come back by themselves. */
  const retry = (name: string): void => {
    const wait = waits.get(name);
    if (wait !== undefined && clock.nowMs() < wait.untilMs) return;
    const ms = wait === undefined ? firstRetryMs : Math.min(2 * wait.ms, longestRetryMs);
    waits.set(name, { untilMs: clock.nowMs() + ms, ms });
    if (wait !== undefined) load(name);
  };
  for (const name of names) load(name);
  let cancel = clock.after(checkMs, check);
  return { problems, close: () => cancel() };
}
