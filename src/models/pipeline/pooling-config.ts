import type { PoolingMode } from '../../graph/layers/pooling.ts';
import { isPoolingMode } from '../../graph/layers/pooling.ts';
import { quote } from '../../store/file-reader.ts';
import { ConfigFields, ConfigFieldError } from '../config-fields.ts';
import type { Pooling } from './pipeline.ts';

/**
 * Reads the config.json of a Pooling module in both dialects: a boolean per mode, and `pooling_mode` with one name or
 * several, which wins. Where neither says a mode it is mean.
 * @throws ConfigFieldError naming `file`
 */
export function parsePooling(json: unknown, file: string): Pooling {
  const fields = new ConfigFields(json, file);
  const declared = fields.value('pooling_mode') ?? modesSwitchedOn(fields);
  const [first = 'mean', ...rest] = Array.isArray(declared) ? (declared as unknown[]) : [declared];
  const toMode = (mode: unknown): PoolingMode => {
    if (typeof mode === 'string' && isPoolingMode(mode)) return mode;
    throw new ConfigFieldError(
      `Expected pooling_mode of ${file} to be ${Object.values(booleanModes).join(', ')}, got ${quote(mode)}.`,
    );
  };
  return { modes: [toMode(first), ...rest.map(toMode)], includePrompt: fields.boolean('include_prompt', true) };
}

/** In the order in which sentence-transformers joins their vectors. */
const booleanModes: Readonly<Record<string, PoolingMode>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean_sqrt_len_tokens',
  pooling_mode_weightedmean_tokens: 'weightedmean',
  pooling_mode_lasttoken: 'lasttoken',
};

function modesSwitchedOn(fields: ConfigFields): readonly PoolingMode[] {
  return Object.entries(booleanModes).flatMap(([field, mode]) => (fields.boolean(field, false) ? [mode] : []));
}
