import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { ActivationName } from '../graph/layers/activation.ts';
import { activations, isActivationName } from '../graph/layers/activation.ts';
import { biasedAttention, type SharedPenalty, sharePenalty } from '../graph/layers/biased-attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { transpose } from '../graph/layers/heads.ts';
import { linear } from '../graph/layers/linear.ts';
import { rmsNorm } from '../graph/layers/rms-norm.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { relativeBuckets } from './relative-buckets.ts';

/**
 * The encoder of T5 (Raffel et al. 2019), as `T5EncoderModel` of transformers computes it; sentence-t5, GTR and
 * Instructor are made from it.
 * - No positions but a learned number per head and bucket of distances, added to the scores of every layer; layer 0
 *   holds the table.
 * - Scores are not scaled. RMSNorm before each sublayer and after the last layer. No biases.
 * - The MLP is gated only where `feed_forward_proj` says so: "gated-gelu" means the tanh form.
 * - The decoder of a checkpoint is left alone.
 */
export const t5: Architecture<T5Config> = {
  about: {
    unusual: 'encoder only; a learned bias by distance, no scale in attention',
    examples: [
      'sentence-transformers/sentence-t5-base',
      'sentence-transformers/gtr-t5-base',
      'hkunlp/instructor-large',
    ],
  },
  prefixes: [],
  unused: /^(decoder|shared|encoder\.embed_tokens)\./,
  parseConfig,
  describe: ({ hidden, layers, vocabulary, maxTokens }) => ({
    hidden,
    layers,
    vocabulary,
    maxTokens,
    positions: { first: 0 },
  }),
  build,
};

interface T5Config {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly maxTokens: number;
  readonly distances: { readonly buckets: number; readonly maxDistance: number };
  readonly activation: ActivationName;
  readonly isGated: boolean;
  readonly epsilon: number;
}

function parseConfig(json: unknown): T5Config {
  const fields = new ConfigFields(json);
  const buckets = fields.choice('relative_attention_num_buckets', isMultipleOf4, 'a multiple of 4', 32);
  const form = fields.choice('feed_forward_proj', isForm, 'an activation, or gated- and one', 'relu');
  const name = form.replace(/^gated-/, '');
  return {
    hidden: fields.integer('d_model'),
    layers: fields.integer('num_layers'),
    heads: fields.integer('num_heads'),
    headSize: fields.integer('d_kv'),
    intermediate: fields.integer('d_ff'),
    vocabulary: fields.integer('vocab_size'),
    maxTokens: fields.integer('n_positions', { fallback: 512 }), // no limit of the model: what it was trained with
    distances: {
      buckets,
      maxDistance: fields.integer('relative_attention_max_distance', { fallback: 128, min: buckets, max: maxDistance }),
    },
    activation: form === 'gated-gelu' ? 'gelu_new' : (name as ActivationName), // isForm checked it
    isGated: name !== form,
    epsilon: fields.positive('layer_norm_epsilon', 1e-6),
  };
}

const maxDistance = 65_536; // no weights stand behind the number, and the graph holds two of each distance

function isMultipleOf4(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) % 4 === 0;
}

function isForm(value: unknown): value is string {
  return typeof value === 'string' && isActivationName(value.replace(/^gated-/, ''));
}

function build(g: GraphBuilder, config: T5Config, inputs: PackedInputs): Value {
  const { hidden: size, vocabulary: rows, distances, epsilon } = config;
  const words = g.hasWeight('shared.weight') ? 'shared' : 'encoder.embed_tokens';
  const byDistance = biasByDistance(g, config);
  const shared = sharePenalty(g, { kind: 'learned', furthest: distances.maxDistance, byDistance }, inputs);
  let x = embedding(g, words, inputs.inputIds, { rows, size });
  for (let layer = 0; layer < config.layers; layer++) {
    const path = `encoder.block.${layer}`;
    x = attendTokens(g, config, x, { path: `${path}.layer.0`, inputs, shared });
    x = feedForward(g, config, x, `${path}.layer.1`);
  }
  return rmsNorm(g, 'encoder.final_layer_norm', x, { size, epsilon });
}

/** `[heads, 2 maxDistance + 1]` */
function biasByDistance(g: GraphBuilder, { distances, heads }: T5Config): Value {
  const path = 'encoder.block.0.layer.0.SelfAttention.relative_attention_bias';
  return g.scope(path, () => {
    const table = g.weight(`${path}.weight`, [distances.buckets, heads]);
    const buckets = g.cast(g.floats('bucket of each distance', relativeBuckets(distances)), 'int64');
    return transpose(g, g.op('Gather', [table, buckets]), [1, 0]);
  });
}

interface LayerParts {
  readonly path: string;
  readonly inputs: PackedInputs;
  readonly shared: SharedPenalty;
}

/** `x + Wo attention(Wq h, Wk h, Wv h)` with `h = RMS(x)` */
function attendTokens(
  g: GraphBuilder,
  { hidden, heads, headSize: size, epsilon }: T5Config,
  x: Value,
  { path, inputs, shared }: LayerParts,
): Value {
  const attn = `${path}.SelfAttention`;
  const normed = rmsNorm(g, `${path}.layer_norm`, x, { size: hidden, epsilon });
  const project = (name: string) =>
    linear(g, `${attn}.${name}`, normed, { inputs: hidden, outputs: heads * size, bias: false });
  const qkv = [project('q'), project('k'), project('v')] as const;
  const context = biasedAttention(g, attn, qkv, { heads, size, scale: 1 }, { inputs, shared });
  const attended = linear(g, `${attn}.o`, context, { inputs: heads * size, outputs: hidden, bias: false });
  return g.scope(attn, () => g.op('Add', [x, attended]));
}

/** `x + Wo act(Wi h)`, gated `x + Wo (act(Wi_0 h) * Wi_1 h)`, with `h = RMS(x)` */
function feedForward(
  g: GraphBuilder,
  { hidden, intermediate, activation, isGated, epsilon }: T5Config,
  x: Value,
  path: string,
): Value {
  const mlp = `${path}.DenseReluDense`;
  const normed = rmsNorm(g, `${path}.layer_norm`, x, { size: hidden, epsilon });
  const widen = (name: string) =>
    linear(g, `${mlp}.${name}`, normed, { inputs: hidden, outputs: intermediate, bias: false });
  const [first, gate] = isGated ? [widen('wi_0'), widen('wi_1')] : [widen('wi')];
  const active = g.scope(mlp, () => activations[activation](g, first!));
  const wide = gate === undefined ? active : g.scope(mlp, () => g.op('Mul', [active, gate]));
  const narrow = linear(g, `${mlp}.wo`, wide, { inputs: intermediate, outputs: hidden, bias: false });
  return g.scope(mlp, () => g.op('Add', [x, narrow]));
}
