import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { describeDecoder } from './decoder-config.ts';
import { buildGemma, type GemmaConfig, readGemmaSizes } from './gemma.ts';
import { type LayerType, readLayerTypes } from './layer-types.ts';
import { readRope, rotaryFrequencies } from './rope.ts';

/**
 * The text model of Gemma 3 (Gemma Team 2025) and EmbeddingGemma, as `Gemma3TextModel` of transformers computes it.
 * - Queries and keys are normalised head by head (factor `1 + weight`) before they are turned; no soft cap.
 * - Every sixth layer sees all tokens, with a theta of its own; only its positions may be scaled.
 * - EmbeddingGemma (`use_bidirectional_attention`) sees both ways. Half of its window then lies to each side:
 *   `|i - j| <= floor(sliding_window / 2)`.
 */
export const gemma3: Architecture<GemmaConfig> = {
  about: {
    unusual: 'sees both ways where the config says so; every sixth layer sees all',
    examples: ['google/embeddinggemma-300m'],
  },
  prefixes: ['model.'],
  parseConfig,
  describe: describeDecoder,
  build: buildGemma,
};

function parseConfig(json: unknown): GemmaConfig {
  const fields = new ConfigFields(json);
  fields.fixed('is_causal', true); // use_bidirectional_attention says it here
  const sizes = readGemmaSizes(fields);
  const { layers, positions: maxPositions, heads } = sizes;
  const every = fields.integer(fields.nameOf('sliding_window_pattern', '_sliding_window_pattern'), { fallback: 6 });
  const isCausal = !fields.boolean('use_bidirectional_attention', false);
  const window = fields.integer('sliding_window', { fallback: 4096 });
  const ropeOf = (layerType: LayerType, thetaField: string, theta: number) =>
    readRope(fields, { size: heads.size, maxPositions, theta, thetaField, layerType });
  const local = ropeOf('sliding_attention', 'rope_local_base_freq', 10_000);
  const isScaledOnItsOwn = fields.nested('rope_parameters')?.has('sliding_attention') === true;
  return {
    ...sizes,
    layerTypes: readLayerTypes(fields, layers, (layer) => (layer + 1) % every !== 0),
    rope: {
      full_attention: rotaryFrequencies(ropeOf('full_attention', 'rope_theta', 1_000_000)),
      sliding_attention: rotaryFrequencies(isScaledOnItsOwn ? local : { ...local, scaling: undefined }),
    },
    isCausal,
    window: isCausal ? window : Math.floor(window / 2) + 1,
    softcap: undefined,
    hasHeadNorms: true,
  };
}
