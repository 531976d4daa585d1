import type { AllowlistEntry } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';

/**
 * The models loaded at start when no setting names them: the only one on this machine. The bundled model counts only
 * when there is no other, and among several none is guessed.
 */
export function choosePreload(
  entries: readonly AllowlistEntry[],
  locate: (entry: AllowlistEntry) => LocatedModel | undefined,
): readonly string[] {
  const names = { bundled: new Map<string, string>(), other: new Map<string, string>() };
  for (const entry of entries) {
    const located = locate(entry);
    if (located === undefined) continue;
    const found = located.kind === 'bundled' ? names.bundled : names.other;
    if (!found.has(located.folder)) found.set(located.folder, entry.name); // aliases share one model
  }
  const { size } = names.other;
  if (size > 1) return [];
  return [...(size === 1 ? names.other : names.bundled).values()].slice(0, 1);
}
