import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { ActivationName } from '../graph/layers/activation.ts';
import { activations } from '../graph/layers/activation.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { fusedLinear, linear } from '../graph/layers/linear.ts';
import { rotary, type RotaryFrequencies, type RotaryTables, rotaryTables } from '../graph/layers/rotary.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields, maxLayers } from './config-fields.ts';
import { type LayerType, layerTypes, readLayerTypes } from './layer-types.ts';
import { parseActivation } from './parse-activation.ts';
import { readRope, rotaryFrequencies } from './rope.ts';
import { type AttendLayer, windowedAttention } from './windowed-attention.ts';

/**
 * ModernBERT (Warner et al. 2024), as `ModernBertModel` of transformers computes it.
 * - Pre-norm; the embeddings are normalised themselves, so the first layer has no `attn_norm`.
 * - Every third layer sees all tokens, the others `local_attention / 2` to each side; each kind has its own RoPE theta.
 * - q, k and v are one weight, `Wqkv`; so are the two halves of the gated MLP, `Wi`, of which the first is activated.
 * - Biases of norms and linear layers only where the config says so.
 */
export const modernbert: Architecture<ModernBertConfig> = {
  about: {
    unusual: 'pre-norm, two layers of three see a window',
    examples: [
      'ibm-granite/granite-embedding-small-english-r2',
      'NeuML/bioclinical-modernbert-base-embeddings',
      'Alibaba-NLP/gte-modernbert-base',
      'nomic-ai/modernbert-embed-base',
    ],
  },
  prefixes: ['model.'],
  unused: /^(head|decoder)\./,
  parseConfig,
  describe: ({ hidden, layerTypes: { length: layers }, vocabulary, positions }) => ({
    hidden,
    layers,
    vocabulary,
    maxTokens: positions,
    positions: { first: 0 },
  }),
  build,
};

interface ModernBertConfig {
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly activation: ActivationName;
  readonly epsilon: number;
  readonly layerTypes: readonly LayerType[];
  readonly rope: Readonly<Record<LayerType, RotaryFrequencies>>;
  /** A token of a sliding layer sees keys with `|i - j| < window`. */
  readonly window: number;
  readonly bias: { readonly norm: boolean; readonly attention: boolean; readonly mlp: boolean };
}

function parseConfig(json: unknown): ModernBertConfig {
  const fields = new ConfigFields(json);
  const hidden = fields.integer('hidden_size');
  const heads = fields.divisor('num_attention_heads', 'hidden_size', hidden);
  const layers = fields.integer('num_hidden_layers', { max: maxLayers });
  const positions = fields.integer('max_position_embeddings');
  const every = fields.integer('global_attn_every_n_layers', { fallback: 3 });
  const globalTheta = fields.positive('global_rope_theta', 160_000);
  // null stands for the theta of the other layers
  const localTheta = fields.value('local_rope_theta') === null ? globalTheta : 10_000;
  const ropeOf = (layerType: LayerType, thetaField: string, theta: number) =>
    rotaryFrequencies(
      readRope(fields, { size: hidden / heads, maxPositions: positions, theta, thetaField, layerType }),
    );
  return {
    hidden,
    heads,
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    positions,
    activation: parseActivation(fields, 'hidden_activation', 'gelu'),
    epsilon: fields.positive('norm_eps', 1e-5),
    layerTypes: readLayerTypes(fields, layers, (layer) => layer % every !== 0),
    rope: {
      full_attention: ropeOf('full_attention', 'global_rope_theta', globalTheta),
      sliding_attention: ropeOf('sliding_attention', 'local_rope_theta', localTheta),
    },
    window: Math.floor(fields.integer('local_attention', { fallback: 128 }) / 2) + 1,
    bias: {
      norm: fields.boolean('norm_bias', false),
      attention: fields.boolean('attention_bias', false),
      mlp: fields.boolean('mlp_bias', false),
    },
  };
}

function build(g: GraphBuilder, config: ModernBertConfig, inputs: PackedInputs): Value {
  const { hidden, heads, vocabulary, epsilon, bias, window } = config;
  const norm = { size: hidden, epsilon, bias: bias.norm };
  const windowOf = (type: LayerType) => (type === 'sliding_attention' ? window : undefined);
  const attend = windowedAttention(g, inputs, {
    heads: { heads, size: hidden / heads },
    isCausal: false,
    windows: config.layerTypes.map(windowOf),
  });
  const used = layerTypes.filter((type) => config.layerTypes.includes(type));
  const tables = new Map(used.map((type) => [type, rotaryTables(g, type, config.rope[type], inputs)]));

  const words = embedding(g, 'embeddings.tok_embeddings', inputs.inputIds, { rows: vocabulary, size: hidden });
  let x = layerNorm(g, 'embeddings.norm', words, norm);
  for (const [layer, type] of config.layerTypes.entries()) {
    const path = `layers.${layer}`;
    const normed = layer === 0 ? x : layerNorm(g, `${path}.attn_norm`, x, norm);
    const parts = { path: `${path}.attn`, window: windowOf(type), tables: tables.get(type)!, attend };
    const attended = attendTokens(g, config, normed, parts);
    const y = g.scope(`${path}.attn`, () => g.op('Add', [x, attended]));
    const fed = feedForward(g, config, layerNorm(g, `${path}.mlp_norm`, y, norm), `${path}.mlp`);
    x = g.scope(`${path}.mlp`, () => g.op('Add', [y, fed]));
  }
  return layerNorm(g, 'final_norm', x, norm);
}

interface LayerParts {
  readonly path: string;
  readonly window: number | undefined;
  readonly tables: RotaryTables;
  readonly attend: AttendLayer;
}

/** `Wo attention(rope(q), rope(k), v)` with `[q; k; v] = Wqkv x` */
function attendTokens(
  g: GraphBuilder,
  { hidden, heads, bias }: ModernBertConfig,
  x: Value,
  { path, window, tables, attend }: LayerParts,
): Value {
  const square = { inputs: hidden, outputs: hidden, bias: bias.attention };
  const [q, k, v] = fusedLinear(g, `${path}.Wqkv`, x, { ...square, parts: 3 });
  const turn = (name: string, value: Value) =>
    rotary(g, `${path}.${name}_rotary`, value, { heads, size: hidden / heads, tables });
  const context = attend(path, [turn('q', q!), turn('k', k!), v!], window);
  return linear(g, `${path}.Wo`, context, square);
}

/** `Wo (act(a) * b)` with `[a; b] = Wi x` */
function feedForward(
  g: GraphBuilder,
  { hidden, intermediate, activation, bias }: ModernBertConfig,
  x: Value,
  path: string,
): Value {
  const wide = { inputs: hidden, outputs: intermediate, bias: bias.mlp };
  const [active, gate] = fusedLinear(g, `${path}.Wi`, x, { ...wide, parts: 2 });
  const gated = g.scope(path, () => g.op('Mul', [activations[activation](g, active!), gate!]));
  return linear(g, `${path}.Wo`, gated, { inputs: intermediate, outputs: hidden, bias: bias.mlp });
}
