import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { buildDecoder } from './decoder.ts';
import { type DecoderConfig, describeDecoder, readDecoderConfig } from './decoder-config.ts';

/**
 * EuroBERT (Boizard et al. 2025), as `EuroBertModel` of transformers computes it.
 * - Llama's layers without the causal mask: an encoder.
 */
export const eurobert: Architecture<DecoderConfig> = {
  about: {
    unusual: 'Llama without the causal mask',
    examples: ['EuroBERT/EuroBERT-210m'],
  },
  prefixes: ['model.'],
  parseConfig,
  describe: describeDecoder,
  build: buildDecoder,
};

function parseConfig(json: unknown): DecoderConfig {
  const fields = new ConfigFields(json);
  const hasBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, {
    defaultEpsilon: 1e-5,
    isCausal: false,
    bias: { qkv: hasBias, output: hasBias, mlp: fields.boolean('mlp_bias', false) },
  });
}
