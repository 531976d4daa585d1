import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { buildDecoder } from './decoder.ts';
import { type DecoderConfig, describeDecoder, isCausal, readDecoderConfig } from './decoder-config.ts';

/**
 * Llama (Touvron et al. 2023), as `LlamaModel` of transformers computes it.
 * - `attention_bias` is for q, k, v and the output alike.
 * - Llama 3.1 stretches long wavelengths of its rotary positions (`rope_type: "llama3"`).
 * - `llama_bidirec` is the same without the causal mask.
 */
export const llama: Architecture<DecoderConfig> = {
  about: {
    unusual: 'decoder; may see both ways',
    examples: ['nvidia/llama-nemotron-embed-1b-v2'],
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
    isCausal: isCausal(fields) && fields.value('model_type') !== 'llama_bidirec',
    bias: { qkv: hasBias, output: hasBias, mlp: fields.boolean('mlp_bias', false) },
  });
}
