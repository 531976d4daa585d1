import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The pooling that the sentence-transformers files of a model folder declare: `cls`, `mean`, `lasttoken`, `max`, ...,
 * several joined by `+`; undefined when the folder declares none.
 * Both dialects of 1_Pooling/config.json are read: a boolean per mode, and `pooling_mode`.
 */
export function readDeclaredPooling(folder: string): string | undefined {
  const modules = readJson(join(folder, 'modules.json'));
  if (!Array.isArray(modules)) return undefined;
  const pooling = modules.find((module) => typeof module?.type === 'string' && module.type.endsWith('.Pooling'));
  if (typeof pooling?.path !== 'string' || !/^[\w.-]+$/.test(pooling.path)) return undefined;
  const config = readJson(join(folder, pooling.path, 'config.json'));
  if (typeof config !== 'object' || config === null) return undefined;
  const modes = modesOf(config as Record<string, unknown>); // an object, checked above
  return modes.length === 0 ? undefined : modes.join('+');
}

const booleanModes: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

function modesOf(config: Readonly<Record<string, unknown>>): readonly string[] {
  const declared = config['pooling_mode'];
  if (typeof declared === 'string') return [declared];
  if (Array.isArray(declared)) return declared.map(String);
  return Object.entries(booleanModes).flatMap(([field, mode]) => (config[field] === true ? [mode] : []));
}

function readJson(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}
