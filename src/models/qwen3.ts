import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { buildDecoder } from './decoder.ts';
import { type DecoderConfig, describeDecoder, readDecoderConfig } from './decoder-config.ts';
import { readUpperWindows } from './layer-types.ts';

/**
 * Qwen3 (Yang et al. 2025), as `Qwen3Model` of transformers computes it.
 * - Queries and keys are normalised head by head (RMSNorm, one weight for all heads) before they are turned.
 * - `head_dim` is its own number, 128 where it is missing: heads * head_dim is not the hidden size.
 * - Windows as in Qwen2; biases only where `attention_bias` says so.
 * - voyage-4-nano sees both ways and projects the last hidden state to `num_labels` columns before pooling.
 */
export const qwen3: Architecture<DecoderConfig> = {
  about: {
    unusual: 'decoder; queries and keys normed head by head',
    examples: [
      'Qwen/Qwen3-Embedding-0.6B',
      'Qwen/Qwen3-Embedding-4B',
      'Qwen/Qwen3-Embedding-8B',
      'voyageai/voyage-4-nano',
    ],
  },
  prefixes: ['model.'],
  parseConfig,
  describe: describeDecoder,
  build: buildDecoder,
};

function parseConfig(json: unknown): DecoderConfig {
  const fields = new ConfigFields(json);
  const hasBias = fields.boolean('attention_bias', false);
  const isProjected = fields.boolean('use_bidirectional_attention', false) && fields.has('num_labels');
  const config = readDecoderConfig(fields, {
    defaultHeadSize: 128,
    bias: { qkv: hasBias, output: hasBias, mlp: false },
    hasHeadNorms: true,
    projection: isProjected ? fields.integer('num_labels') : undefined,
  });
  return { ...config, windows: readUpperWindows(fields, config) };
}
