import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { buildDecoder } from './decoder.ts';
import { type DecoderConfig, describeDecoder, readDecoderConfig } from './decoder-config.ts';
import { readWindow } from './layer-types.ts';

/**
 * Mistral (Jiang et al. 2023), as `MistralModel` of transformers computes it.
 * - Every layer has the window `sliding_window`: 4096 where the field is missing, none where it is null.
 * - No biases at all.
 */
export const mistral: Architecture<DecoderConfig> = {
  about: {
    unusual: 'decoder with a window in every layer',
    examples: ['Salesforce/SFR-Embedding-2_R', 'Salesforce/SFR-Embedding-Mistral', 'intfloat/e5-mistral-7b-instruct'],
  },
  prefixes: ['model.'],
  parseConfig,
  describe: describeDecoder,
  build: buildDecoder,
};

function parseConfig(json: unknown): DecoderConfig {
  const fields = new ConfigFields(json);
  const config = readDecoderConfig(fields);
  const window = readWindow(fields, { isCausal: config.isCausal, fallback: 4096 });
  return { ...config, windows: config.windows.map(() => window) };
}
