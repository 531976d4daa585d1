import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { buildDecoder } from './decoder.ts';
import { type DecoderConfig, describeDecoder, isCausal, readDecoderConfig } from './decoder-config.ts';
import { readUpperWindows } from './layer-types.ts';

/**
 * Qwen2 (Yang et al. 2024), as `Qwen2Model` of transformers computes it.
 * - q, k and v have biases, the output has none.
 * - A window only where `use_sliding_window` says so, and then in the layers from `max_window_layers` on.
 * - gte-Qwen2 and its descendants bring code of their own (`modeling_qwen.Qwen2Model`): the same without the causal mask.
 */
export const qwen2: Architecture<DecoderConfig> = {
  about: {
    unusual: 'decoder; biases on queries, keys and values',
    examples: [
      'jinaai/jina-code-embeddings-0.5b',
      'jinaai/jina-code-embeddings-1.5b',
      'Alibaba-NLP/gte-Qwen2-1.5B-instruct',
    ],
  },
  prefixes: ['model.'],
  parseConfig,
  describe: describeDecoder,
  build: buildDecoder,
};

function parseConfig(json: unknown): DecoderConfig {
  const fields = new ConfigFields(json);
  const ownCode = fields.nested('auto_map')?.optionalText('AutoModel');
  const isMasked = isCausal(fields) && ownCode?.endsWith('modeling_qwen.Qwen2Model') !== true;
  const config = readDecoderConfig(fields, {
    isCausal: isMasked,
    bias: { qkv: true, output: false, mlp: false },
  });
  return { ...config, windows: readUpperWindows(fields, config) };
}
