import { bundledModelsDir, type Config } from '../config.ts';
import { locateModel } from '../store/locate-model.ts';
import { readAllowlist } from '../store/watch-allowlist.ts';

const bundledModel = 'sentence-transformers/all-MiniLM-L6-v2';

/** The model used where the user names none: the first of the allowlist that is bundled or in the models folder. */
export function findDefaultModel(config: Config): string {
  const ready = readAllowlist(config.supportedModels).entries.find(({ repository, revision }) => {
    const found = locateModel(repository, { ...config, revision, bundledDir: bundledModelsDir });
    return found?.kind === 'bundled' || found?.kind === 'local';
  });
  return ready?.name ?? bundledModel;
}
