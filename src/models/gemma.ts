import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { ActivationName } from '../graph/layers/activation.ts';
import { activations } from '../graph/layers/activation.ts';
import { embedding } from '../graph/layers/embedding.ts';
import type { Heads } from '../graph/layers/heads.ts';
import { linear } from '../graph/layers/linear.ts';
import { headRmsNorm, rmsNorm } from '../graph/layers/rms-norm.ts';
import { rotary, type RotaryFrequencies, type RotaryTables, rotaryTables } from '../graph/layers/rotary.ts';
import { softcappedAttention } from '../graph/layers/softcapped-attention.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import { type ConfigFields, maxLayers } from './config-fields.ts';
import { readHeads } from './decoder-config.ts';
import { type LayerType, layerTypes } from './layer-types.ts';
import { parseActivation } from './parse-activation.ts';
import { type AttendLayer, windowedAttention } from './windowed-attention.ts';

/** What Gemma 2 and 3 say in config.json. */
export interface GemmaConfig extends GemmaSizes {
  readonly layerTypes: readonly LayerType[];
  readonly rope: Readonly<Record<LayerType, RotaryFrequencies>>;
  readonly isCausal: boolean;
  /** A token of a sliding layer sees keys with `|i - j| < window`; all where undefined. */
  readonly window: number | undefined;
  /** No score exceeds it; undefined for no limit. Causal attention only. */
  readonly softcap: number | undefined;
  /** Whether queries and keys are normalised head by head before they are turned. */
  readonly hasHeadNorms: boolean;
}

/** The fields that both have. */
export interface GemmaSizes {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: Required<Heads>;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly activation: ActivationName;
  readonly epsilon: number;
  readonly hasBias: boolean;
}

/** `hidden_act` stands in the files too but is not read; scores are scaled by `query_pre_attn_scalar`. */
export function readGemmaSizes(fields: ConfigFields): GemmaSizes {
  const { hidden, heads, keyHeads, headSize } = readHeads(fields, 256);
  return {
    hidden,
    layers: fields.integer('num_hidden_layers', { max: maxLayers }),
    heads: { heads, keyHeads, size: headSize, scale: fields.positive('query_pre_attn_scalar', 256) ** -0.5 },
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    positions: fields.integer('max_position_embeddings'),
    activation: parseActivation(fields, 'hidden_activation', 'gelu_pytorch_tanh'),
    epsilon: fields.positive('rms_norm_eps', 1e-6),
    hasBias: fields.boolean('attention_bias', false),
  };
}

/**
 * The Gemma stack (Gemma Team 2024): embeddings times `sqrt(hidden)`, RMSNorms with the factor `1 + weight` before and
 * after both sublayers, layers with and without a window.
 */
export function buildGemma(g: GraphBuilder, config: GemmaConfig, inputs: PackedInputs): Value {
  const { hidden, vocabulary, epsilon } = config;
  const norm = { size: hidden, epsilon, isOffset: true };
  const attend = attentionOf(g, config, inputs);
  const used = layerTypes.filter((type) => config.layerTypes.includes(type));
  const tables = new Map(used.map((type) => [type, rotaryTables(g, type, config.rope[type], inputs)]));

  const words = embedding(g, 'embed_tokens', inputs.inputIds, { rows: vocabulary, size: hidden });
  let x = g.scope('embed_tokens', () => g.op('Mul', [words, g.scalar(Math.sqrt(hidden))]));
  for (const [layer, type] of config.layerTypes.entries()) {
    const path = `layers.${layer}`;
    const parts = { path: `${path}.self_attn`, window: windowOf(config, type), tables: tables.get(type)!, attend };
    const attended = attendTokens(g, config, rmsNorm(g, `${path}.input_layernorm`, x, norm), parts);
    const normed = rmsNorm(g, `${path}.post_attention_layernorm`, attended, norm);
    const y = g.scope(`${path}.self_attn`, () => g.op('Add', [x, normed]));

    const fed = feedForward(g, config, rmsNorm(g, `${path}.pre_feedforward_layernorm`, y, norm), `${path}.mlp`);
    const normedFed = rmsNorm(g, `${path}.post_feedforward_layernorm`, fed, norm);
    x = g.scope(`${path}.mlp`, () => g.op('Add', [y, normedFed]));
  }
  return rmsNorm(g, 'norm', x, norm);
}

function windowOf({ window }: GemmaConfig, type: LayerType): number | undefined {
  return type === 'sliding_attention' ? window : undefined;
}

function attentionOf(g: GraphBuilder, config: GemmaConfig, inputs: PackedInputs): AttendLayer {
  const { heads, softcap, isCausal } = config;
  const windows = config.layerTypes.map((type) => windowOf(config, type));
  if (softcap === undefined) return windowedAttention(g, inputs, { heads, isCausal, windows });
  return (path, qkv, window) =>
    softcappedAttention(g, path, qkv, { ...heads, softcap, ...(window === undefined ? {} : { window }) }, inputs);
}

interface LayerParts {
  readonly path: string;
  readonly window: number | undefined;
  readonly tables: RotaryTables;
  readonly attend: AttendLayer;
}

/** `Wo attention(rope(Wq x), rope(Wk x), Wv x)` */
function attendTokens(
  g: GraphBuilder,
  { hidden, heads: { heads, keyHeads, size }, epsilon, hasBias, hasHeadNorms }: GemmaConfig,
  x: Value,
  { path, window, tables, attend }: LayerParts,
): Value {
  const project = (name: string, count: number) =>
    linear(g, `${path}.${name}_proj`, x, { inputs: hidden, outputs: count * size, bias: hasBias });
  const turned = (name: string, count: number) => {
    const projected = project(name, count);
    const scaled = hasHeadNorms
      ? headRmsNorm(g, `${path}.${name}_norm`, projected, { heads: count, size, epsilon, isOffset: true })
      : projected;
    return rotary(g, `${path}.${name}_rotary`, scaled, { heads: count, size, tables });
  };
  const context = attend(path, [turned('q', heads), turned('k', keyHeads), project('v', keyHeads)], window);
  return linear(g, `${path}.o_proj`, context, { inputs: heads * size, outputs: hidden, bias: hasBias });
}

/** `Wdown (act(Wgate x) * Wup x)` */
function feedForward(
  g: GraphBuilder,
  { hidden, intermediate, activation }: GemmaConfig,
  x: Value,
  path: string,
): Value {
  const wide = { inputs: hidden, outputs: intermediate, bias: false };
  const gate = linear(g, `${path}.gate_proj`, x, wide);
  const up = linear(g, `${path}.up_proj`, x, wide);
  const gated = g.scope(path, () => g.op('Mul', [activations[activation](g, gate), up]));
  return linear(g, `${path}.down_proj`, gated, { inputs: intermediate, outputs: hidden, bias: false });
}
