import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { describeDecoder } from './decoder-config.ts';
import { buildGemma, type GemmaConfig, readGemmaSizes } from './gemma.ts';
import { readLayerTypes, readWindow } from './layer-types.ts';
import { readRope, rotaryFrequencies } from './rope.ts';

/**
 * Gemma 2 (Gemma Team 2024), as `Gemma2Model` of transformers computes it with eager attention.
 * - Scores are soft-capped before the mask: `cap tanh(score / cap)`.
 * - Even layers have a window, odd ones see everything before them; one theta for both.
 * - `codexembed2b` (SFR-Embedding-Code) is the same model under a name of its own.
 */
export const gemma2: Architecture<GemmaConfig> = {
  about: {
    unusual: 'decoder with soft-capped scores; norms on both sides of a sublayer',
    examples: ['Salesforce/SFR-Embedding-Code-2B_R', 'BAAI/bge-multilingual-gemma2'],
  },
  prefixes: ['model.'],
  parseConfig,
  describe: describeDecoder,
  build: buildGemma,
};

function parseConfig(json: unknown): GemmaConfig {
  const fields = new ConfigFields(json);
  fields.fixed('is_causal', true);
  fields.fixed('use_bidirectional_attention', false);
  const sizes = readGemmaSizes(fields);
  const { layers, positions: maxPositions, heads } = sizes;
  const rope = rotaryFrequencies(readRope(fields, { size: heads.size, maxPositions, theta: 10_000 }));
  const isUncapped = fields.value('attn_logit_softcapping') === null;
  return {
    ...sizes,
    layerTypes: readLayerTypes(fields, layers, (layer) => layer % 2 === 0),
    rope: { full_attention: rope, sliding_attention: rope },
    isCausal: true,
    window: readWindow(fields, { isCausal: true, fallback: 4096 }),
    softcap: isUncapped ? undefined : fields.positive('attn_logit_softcapping', 50),
    hasHeadNorms: false,
  };
}
