import type { Config } from '../config.ts';
import { readAllowlist } from '../store/watch-allowlist.ts';
import { openStore, placesOf } from './model-store.ts';

const bundledModel = 'sentence-transformers/all-MiniLM-L6-v2';

/** The model used where the user names none: the first of the allowlist that is bundled or in the models folder. */
export function findDefaultModel(config: Config): string {
  const store = openStore(config);
  const ready = readAllowlist(config.supportedModels).entries.find((entry) => {
    const found = placesOf(entry, store).find(({ problem }) => problem === undefined);
    return found?.kind === 'bundled' || found?.kind === 'local';
  });
  return ready?.name ?? bundledModel;
}
