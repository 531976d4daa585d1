import type { GraphBuilder, Value } from '../graph/builder.ts';
import { activations } from '../graph/layers/activation.ts';
import { attention } from '../graph/layers/attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { experts } from '../graph/layers/experts.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { fusedLinear, linear } from '../graph/layers/linear.ts';
import type { RotaryTables } from '../graph/layers/rotary.ts';
import { rotary, rotaryTables } from '../graph/layers/rotary.ts';
import { longestOf } from '../graph/layers/sizes.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { Architecture } from './architecture.ts';
import { type NomicConfig, type NomicRope, parseNomicConfig } from './nomic-config.ts';
import { frequencies } from './rope.ts';

/**
 * NomicBERT (Nussbaum et al. 2024, 2025): nomic-embed-text v1, v1.5 and v2-moe.
 * - Post-norm, no final norm; token types are always 0. `attn.Wqkv` is queries, keys and values, in this order.
 * - The gated layer is `fc2(fc11 x * act(fc12 x))`; without a gate it is `fc2(gelu(fc1 x))`.
 * - v2-moe: each `moe_every_n_layers`-th layer, from the second on, gives its tokens to the best experts.
 * - `rotary_scaling_factor` stretches the positions of each sequence longer than `max_trained_positions` by its own
 *   length. The original code keeps the stretch of the longest batch it has seen; here a vector never depends on others.
 */
export const nomicBert: Architecture<NomicConfig> = {
  about: {
    unusual: 'rotary positions, gated MLP; v2 has experts',
    examples: ['nomic-ai/nomic-embed-text-v1', 'nomic-ai/nomic-embed-text-v1.5', 'nomic-ai/nomic-embed-text-v2-moe'],
  },
  prefixes: ['bert.', 'nomic_bert.'],
  matches: (_config, tensors) => tensors.has('encoder.layers.0.attn.Wqkv.weight'),
  parseConfig: parseNomicConfig,
  describe: (config) => ({
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxTokens: config.maxTokens,
    positions: { first: 0 },
  }),
  build,
};

function build(g: GraphBuilder, config: NomicConfig, inputs: PackedInputs): Value {
  let x = embed(g, config, inputs);
  const tables = ropeTables(g, config.rope, inputs);
  for (let layer = 0; layer < config.layers; layer++) x = encode(g, config, { inputs, tables, layer }, x);
  return x;
}

function ropeTables(g: GraphBuilder, rope: NomicRope, inputs: PackedInputs): RotaryTables {
  if (rope.stretch !== undefined) return stretchedTables(g, rope, rope.stretch, inputs);
  return rotaryTables(g, 'all', { inverseFrequencies: frequencies(rope), attentionScale: 1 }, inputs);
}

/**
 * Dynamic NTK scaling: a sequence of S tokens has `theta' = theta max(1, s S / L - (s - 1))^(d / (d - 2))`, for the factor
 * s, L trained positions and heads of d columns. Up to S = L that is theta itself.
 */
function stretchedTables(
  g: GraphBuilder,
  { theta, size }: NomicRope,
  { factor, trained }: NonNullable<NomicRope['stretch']>,
  inputs: PackedInputs,
): RotaryTables {
  return g.scope('rotary_stretched', () => {
    const sequence = g.op('Div', [g.cast(inputs.unpadIndex, 'int64'), longestOf(g, inputs)]); // of each token
    const lengths = g.cast(g.op('Gather', [inputs.lengths, sequence]), 'float32');
    const linearPart = g.op('Sub', [g.op('Mul', [lengths, g.scalar(factor / trained)]), g.scalar(factor - 1)]);
    const stretch = g.op('Log', [g.op('Max', [linearPart, g.scalar(1)])]);
    const halves = Array.from({ length: size / 2 }, (_, j) => (-2 * j) / size);
    const exponents = g.floats('stretch exponents', halves, [1, size / 2]);
    const factors = g.op('Exp', [
      g.op('Mul', [g.op('Unsqueeze', [g.op('Mul', [stretch, g.scalar(size / (size - 2))]), g.int64(1)]), exponents]),
    ]);
    const inverseFrequencies = g.floats('inv_freq', frequencies({ theta, size }), [1, size / 2]);
    const positions = g.op('Unsqueeze', [g.cast(inputs.positionIds, 'float32'), g.int64(1)]);
    const angles = g.op('Mul', [positions, g.op('Mul', [factors, inverseFrequencies])]);
    return { cos: g.op('Cos', [angles]), sin: g.op('Sin', [angles]) };
  });
}

/** `LN(word[id] + type[0])` */
function embed(
  g: GraphBuilder,
  { vocabulary, tokenTypes, hidden: size, epsilon }: NomicConfig,
  inputs: PackedInputs,
): Value {
  const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
  if (tokenTypes === 0) return layerNorm(g, 'emb_ln', words, { size, epsilon });
  const type = embedding(g, 'embeddings.token_type_embeddings', g.index(0), { rows: tokenTypes, size });
  const sum = g.scope('embeddings', () => g.op('Add', [words, type]));
  return layerNorm(g, 'emb_ln', sum, { size, epsilon });
}

/** `x = LN1(x + Wo attention(x))`, then `x = LN2(x + mlp(x))` */
function encode(
  g: GraphBuilder,
  config: NomicConfig,
  { inputs, tables, layer }: { readonly inputs: PackedInputs; readonly tables: RotaryTables; readonly layer: number },
  x: Value,
): Value {
  const { hidden, heads, epsilon, biases } = config;
  const path = `encoder.layers.${layer}`;
  const self = `${path}.attn`;
  const { size } = config.rope;
  const wide = heads * size;
  const bias = biases.attention ?? g.hasWeight(`${self}.Wqkv.bias`);
  const [q, k, v] = fusedLinear(g, `${self}.Wqkv`, x, { inputs: hidden, outputs: wide, parts: 3, bias });
  const turned = [q!, k!].map((rows) => rotary(g, self, rows, { heads, size, tables }));
  const context = attention(g, self, [turned[0]!, turned[1]!, v!], { heads, size }, inputs);
  const attended = linear(g, `${self}.out_proj`, context, { inputs: wide, outputs: hidden, bias });
  const sum = g.scope(self, () => g.op('Add', [attended, x]));
  const y = layerNorm(g, `${path}.norm1`, sum, { size: hidden, epsilon });

  const narrow = feedForward(g, config, y, layer);
  const total = g.scope(`${path}.mlp`, () => g.op('Add', [narrow, y]));
  return layerNorm(g, `${path}.norm2`, total, { size: hidden, epsilon });
}

function feedForward(g: GraphBuilder, config: NomicConfig, y: Value, layer: number): Value {
  const { hidden, intermediate, activation, biases, mixture } = config;
  const path = `encoder.layers.${layer}.mlp`;
  if (mixture !== undefined && layer % mixture.everyLayers === 1) {
    if (activation.kind === 'gate') throw new Error('parseNomicConfig lets no gated experts through. This is a bug.');
    const { experts: count, chosen } = mixture;
    return experts(g, path, y, { experts: count, chosen, hidden, intermediate, activation: activation.name });
  }
  const first = (name: string) => {
    const bias = biases.first ?? g.hasWeight(`${path}.${name}.bias`);
    return linear(g, `${path}.${name}`, y, { inputs: hidden, outputs: intermediate, bias });
  };
  const activate = (value: Value) => activations[activation.name](g, value);
  let wide: Value;
  if (activation.kind === 'plain') {
    const up = first('fc1');
    wide = g.scope(path, () => activate(up));
  } else {
    const [up, gate] = [first('fc11'), first('fc12')];
    wide = g.scope(path, () => g.op('Mul', [up, activate(gate)]));
  }
  const bias = biases.second ?? g.hasWeight(`${path}.fc2.bias`);
  return linear(g, `${path}.fc2`, wide, { inputs: intermediate, outputs: hidden, bias });
}
