import type { Model } from '../models/open-model.ts';
import { openModel } from '../models/open-model.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';

/** What `input_type` and `task` may name beside the model's prompts: its adapters, and the routes of its own pipeline. */
export function listVariants(
  { tasks, readRoutes }: Pick<Model, 'tasks' | 'readRoutes'>,
  pooling: 'mean' | 'model',
): readonly string[] {
  return pooling === 'model' ? [...new Set([...tasks, ...readRoutes()])] : tasks;
}

/**
 * Finds the variants of models that are not loaded; reads each folder once. `pooling` is that of entries which name none.
 */
export function createVariantFinder(
  pooling: 'mean' | 'model',
): (entry: AllowlistEntry, located: LocatedModel) => Promise<readonly string[]> {
  const known = new Map<string, Promise<readonly string[] | undefined>>();
  return async (entry, located) => {
    const wanted = entry.pooling ?? pooling;
    const key = `${wanted} ${located.folder}`;
    const reading = known.get(key) ?? readVariants(located.folder, wanted);
    known.set(key, reading); // at once: others that ask meanwhile wait for the same
    const variants = await reading;
    if (variants !== undefined) return variants;
    known.delete(key); // loading it says what is wrong; it may be right the next time
    return [];
  };
}

async function readVariants(folder: string, pooling: 'mean' | 'model'): Promise<readonly string[] | undefined> {
  try {
    return listVariants(await openModel(folder), pooling);
  } catch {
    return undefined;
  }
}
