import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile } from './read-json-file.ts';

/**
 * The pooling that the sentence-transformers files of a model folder declare: `cls`, `mean`, `lasttoken`, `max`, ...,
 * several joined by `+`; undefined when the folder declares none, `unknown` when what it declares cannot be read.
 * Both dialects of 1_Pooling/config.json are read: a boolean per mode, and `pooling_mode`.
 * @throws ConfigFieldError naming a file that is not JSON
 */
export function readDeclaredPooling(folder: string): string | undefined {
  const modulesFile = join(folder, 'modules.json');
  const modules = existsSync(modulesFile) ? readJsonFile(modulesFile) : [];
  if (!Array.isArray(modules)) return 'unknown';
  const pooling = modules.filter(isRecord).find(({ type }) => typeof type === 'string' && /(^|\.)Pooling$/.test(type));
  if (pooling === undefined) return undefined;
  const { path } = pooling;
  // A folder of the model: a path with a slash or dots alone could point anywhere on the disk.
  if (typeof path !== 'string' || !/^[\w.-]+$/.test(path) || /^\.+$/.test(path)) return 'unknown';
  const configFile = join(folder, path, 'config.json');
  const config = existsSync(configFile) ? readJsonFile(configFile) : undefined;
  return isRecord(config) ? modeOf(config) : 'unknown';
}

/** In the order in which sentence-transformers joins their vectors. */
const booleanModes: Readonly<Record<string, string>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

/** As sentence-transformers reads it: `pooling_mode` wins over the booleans, and where neither says a mode it is mean. */
function modeOf(config: Readonly<Record<string, unknown>>): string {
  const declared = config['pooling_mode'] ?? modesSwitchedOn(config);
  const modes: readonly unknown[] = Array.isArray(declared) ? declared : [declared];
  if (modes.length === 0) return 'mean';
  return modes.every((mode) => typeof mode === 'string' && /^\w+$/.test(mode)) ? modes.join('+') : 'unknown';
}

function modesSwitchedOn(config: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(booleanModes).flatMap(([field, mode]) => (config[field] === true ? [mode] : []));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
