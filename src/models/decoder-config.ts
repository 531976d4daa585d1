import type { ActivationName } from '../graph/layers/activation.ts';
import type { RotaryFrequencies } from '../graph/layers/rotary.ts';
import type { ModelShape } from './architecture.ts';
import { type ConfigFields, maxLayers } from './config-fields.ts';
import { parseActivation } from './parse-activation.ts';
import { readRope, rotaryFrequencies } from './rope.ts';

/** What Llama and its descendants say in config.json; `decoder.ts` computes them. */
export interface DecoderConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values, each shared by `heads / keyHeads` heads of queries. */
  readonly keyHeads: number;
  /** Columns of a head; `heads * headSize` need not be `hidden`. */
  readonly headSize: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly activation: ActivationName;
  readonly epsilon: number;
  readonly rope: RotaryFrequencies;
  readonly isCausal: boolean;
  /** For each layer: a token sees keys with `|i - j| < window`; all where undefined. */
  readonly windows: readonly (number | undefined)[];
  readonly bias: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Whether queries and keys are normalised head by head before they are turned. */
  readonly hasHeadNorms: boolean;
  /** Columns of the layer `linear` after the last norm; undefined for none. */
  readonly projection: number | undefined;
}

/** The sizes, by the names they have in every descendant. `windows`, `bias` and `hasHeadNorms` are the family's own. */
export function readDecoderConfig(
  fields: ConfigFields,
  own: Partial<DecoderConfig> & { readonly defaultHeadSize?: number; readonly defaultEpsilon?: number } = {},
): DecoderConfig {
  const { defaultHeadSize, defaultEpsilon = 1e-6, ...overrides } = own;
  const { hidden, heads, keyHeads, headSize } = readHeads(fields, defaultHeadSize);
  const layers = fields.integer('num_hidden_layers', { max: maxLayers });
  const positions = fields.integer('max_position_embeddings');
  return {
    hidden,
    layers,
    heads,
    keyHeads,
    headSize,
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    positions,
    activation: parseActivation(fields, 'hidden_act', 'silu'),
    epsilon: fields.positive('rms_norm_eps', defaultEpsilon),
    rope: rotaryFrequencies(readRope(fields, { size: headSize, maxPositions: positions, theta: 10_000 })),
    isCausal: isCausal(fields),
    windows: Array.from({ length: layers }, () => undefined),
    bias: { qkv: false, output: false, mlp: false },
    hasHeadNorms: false,
    projection: undefined,
    ...overrides,
  };
}

/** Query heads, heads that keys share, and the columns of each. */
export function readHeads(
  fields: ConfigFields,
  defaultHeadSize?: number,
): Pick<DecoderConfig, 'hidden' | 'heads' | 'keyHeads' | 'headSize'> {
  const hidden = fields.integer('hidden_size');
  const isSizeGiven = fields.has('head_dim') || defaultHeadSize !== undefined;
  const heads = isSizeGiven
    ? fields.integer('num_attention_heads')
    : fields.divisor('num_attention_heads', 'hidden_size', hidden);
  const keyHeads = fields.has('num_key_value_heads')
    ? fields.divisor('num_key_value_heads', 'num_attention_heads', heads)
    : heads;
  const headSize = fields.integer('head_dim', { fallback: defaultHeadSize ?? hidden / heads });
  return { hidden, heads, keyHeads, headSize };
}

/** Embedding models made from a decoder may let tokens see what comes after them; their config.json says so. */
export function isCausal(fields: ConfigFields): boolean {
  return fields.boolean('is_causal', true) && !fields.boolean('use_bidirectional_attention', false);
}

export function describeDecoder({
  hidden,
  layers,
  vocabulary,
  positions,
  projection = hidden,
}: Pick<DecoderConfig, 'hidden' | 'layers' | 'vocabulary' | 'positions'> &
  Partial<Pick<DecoderConfig, 'projection'>>): ModelShape {
  return { hidden: projection, layers, vocabulary, maxTokens: positions, positions: { first: 0 } };
}
