import { join } from 'node:path';
import { readModules } from '../store/modules.ts';
import { describePooling } from './pipeline/pipeline.ts';
import { parsePooling } from './pipeline/pooling-config.ts';
import { readJsonFile } from './read-json-file.ts';

/**
 * The pooling that the sentence-transformers files of a model folder declare: `cls`, `mean`, `lasttoken`, `max`, ...,
 * several joined by `+`; undefined when the folder declares none, `unknown` when what it declares cannot be read.
 */
export function readDeclaredPooling(folder: string): string | undefined {
  try {
    const pooling = readModules(folder)?.find(({ kind }) => kind === 'Pooling');
    if (pooling === undefined) return undefined;
    const file = join(pooling.path, 'config.json');
    return describePooling(parsePooling(readJsonFile(join(folder, file)), file));
  } catch {
    return 'unknown'; // it need not be followed; `readPipeline` says what is wrong
  }
}
