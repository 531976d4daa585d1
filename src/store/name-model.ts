import type { AllowlistEntry } from './allowlist.ts';
import { isRepositoryId, isRevision } from './repository-id.ts';

/** A model as somebody named it. */
export interface NamedModel {
  /** As it was named. */
  readonly name: string;
  readonly repository: string;
  /** `main` when absent. */
  readonly revision?: string;
}

/**
 * What a name means: a name of the allowlist, else a Hugging Face id, each with `@revision` behind it or without. An id
 * that the list has under other names only gets the revision of its first line. Undefined for anything else.
 */
export function nameModel(name: string, entries: readonly AllowlistEntry[]): NamedModel | undefined {
  const listed = findEntry(name, entries);
  if (listed !== undefined) return toNamed(name, listed.repository, listed.revision);
  if (isRepositoryId(name)) return { name, repository: name };
  const at = name.lastIndexOf('@'); // an alias may have one too, a revision never
  const revision = name.slice(at + 1);
  if (at < 1 || !isRevision(revision)) return undefined;
  const repository = findEntry(name.slice(0, at), entries)?.repository ?? name.slice(0, at);
  return isRepositoryId(repository) ? { name, repository, revision } : undefined;
}

/** Every model of the list once, however many names it has. */
export function listModels(entries: readonly AllowlistEntry[]): readonly NamedModel[] {
  const models = new Map<string, NamedModel>();
  for (const { name, repository, revision } of entries) {
    const key = `${repository}@${revision ?? 'main'}`;
    if (!models.has(key)) models.set(key, toNamed(name, repository, revision));
  }
  return [...models.values()];
}

function findEntry(name: string, entries: readonly AllowlistEntry[]): AllowlistEntry | undefined {
  return entries.find((entry) => entry.name === name) ?? entries.find((entry) => entry.repository === name);
}

function toNamed(name: string, repository: string, revision: string | undefined): NamedModel {
  return revision === undefined ? { name, repository } : { name, repository, revision };
}
