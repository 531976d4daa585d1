import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { ActivationName } from '../graph/layers/activation.ts';
import { activations } from '../graph/layers/activation.ts';
import { biasedAttention, sharePenalty, type SharedPenalty } from '../graph/layers/biased-attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { fusedLinear, linear } from '../graph/layers/linear.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { parseActivation } from './parse-activation.ts';

/**
 * JinaBERT v2 (Günther et al. 2023), both variants of it; there is no class in transformers.
 * - ALiBi without direction: `-slope |i - j|` is added to the scores. There are no position embeddings.
 * - Post-norm. Token types are always 0.
 * - jina-bert-implementation (en, de, zh): `mlp.gated_layers` is gate and up, the FIRST half activated.
 * - jina-bert-v2-qk-post-norm (code): queries and keys are normalised over the whole hidden size before they are cut
 *   into heads, the input is added to the attention twice with a norm each time, and `mlp.up_gated_layer` is up and
 *   gate, the SECOND half activated.
 * - `feed_forward_type` names the activation of the gate; `original` has none.
 * - `model_type` is that of BERT: tensor names tell the three apart.
 */
export const jinaBert: Architecture<JinaBertConfig> = {
  about: {
    unusual: 'ALiBi, gated MLP; the code model norms queries and keys',
    examples: [
      'jinaai/jina-embeddings-v2-base-en',
      'jinaai/jina-embeddings-v2-base-de',
      'jinaai/jina-embeddings-v2-base-zh',
      'jinaai/jina-embeddings-v2-base-code',
      'jinaai/jina-embeddings-v2-small-en',
    ],
  },
  prefixes: ['bert.'],
  matches: isJinaBert,
  parseConfig,
  describe: (config) => ({
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxTokens: config.maxTokens,
    positions: { first: 0 },
  }),
  build,
};

interface JinaBertConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly maxTokens: number;
  readonly tokenTypes: number;
  readonly feedForward: FeedForwardName;
  /** Of the feed-forward layer without a gate. */
  readonly activation: ActivationName;
  readonly epsilon: number;
}

/** The activation of the gate by `feed_forward_type`; undefined where there is no gate. */
const gates = { geglu: 'gelu', reglu: 'relu', original: undefined } as const;

type FeedForwardName = keyof typeof gates;

function isFeedForwardName(name: unknown): name is FeedForwardName {
  return typeof name === 'string' && Object.hasOwn(gates, name);
}

function isAlibi(type: unknown): type is 'alibi' {
  return type === 'alibi';
}

const firstLayer = 'encoder.layer.0';
const normalizedQueries = `${firstLayer}.attention.self.layer_norm_q.weight`;

function isJinaBert(config: unknown, tensors: TensorIndex): boolean {
  if (tensors.has(normalizedQueries) || tensors.has(`${firstLayer}.mlp.gated_layers.weight`)) return true;
  const hasAlibi = isAlibi(new ConfigFields(config).value('position_embedding_type'));
  return hasAlibi && tensors.has(`${firstLayer}.intermediate.dense.weight`);
}

function parseConfig(json: unknown): JinaBertConfig {
  const fields = new ConfigFields(json);
  fields.choice('position_embedding_type', isAlibi, '"alibi"'); // without it the model has learned positions
  fields.fixed('is_decoder', false);
  const hidden = fields.integer('hidden_size');
  return {
    hidden,
    layers: fields.integer('num_hidden_layers'),
    heads: fields.divisor('num_attention_heads', 'hidden_size', hidden),
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    maxTokens: fields.integer('max_position_embeddings'),
    tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }),
    feedForward: fields.choice(
      'feed_forward_type',
      isFeedForwardName,
      `one of ${Object.keys(gates).join(', ')}`,
      'geglu',
    ),
    activation: parseActivation(fields, 'hidden_act', 'gelu'),
    epsilon: fields.positive('layer_norm_eps', 1e-12),
  };
}

function build(g: GraphBuilder, config: JinaBertConfig, inputs: PackedInputs): Value {
  let x = embed(g, config, inputs);
  const shared = sharePenalty(g, { kind: 'alibi', slopes: alibiSlopes(config.heads) }, inputs);
  const encode = g.hasWeight(normalizedQueries) ? encodeNormalized : encodePlain;
  for (let layer = 0; layer < config.layers; layer++)
    x = encode(g, config, { inputs, shared }, x, `encoder.layer.${layer}`);
  return x;
}

/** `LN(word[id] + type[0])` */
function embed(
  g: GraphBuilder,
  { vocabulary, tokenTypes, hidden: size, epsilon }: JinaBertConfig,
  inputs: PackedInputs,
): Value {
  const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
  const type = embedding(g, 'embeddings.token_type_embeddings', g.index(0), { rows: tokenTypes, size });
  return addAndNorm(g, 'embeddings.LayerNorm', [words, type], { size, epsilon });
}

interface Shared {
  readonly inputs: PackedInputs;
  readonly shared: SharedPenalty;
}

/** `x = LN(x + attention(x))`, then `x = LN(x + mlp(x))` */
function encodePlain(g: GraphBuilder, config: JinaBertConfig, shared: Shared, x: Value, path: string): Value {
  const { hidden, intermediate, feedForward, activation, epsilon } = config;
  const y = attend(g, config, shared, x, path);
  const gate = gates[feedForward];
  const norm = { size: hidden, epsilon };
  if (gate === undefined) {
    const wide = linear(g, `${path}.intermediate.dense`, y, { inputs: hidden, outputs: intermediate });
    const active = g.scope(`${path}.intermediate`, () => activations[activation](g, wide));
    const narrow = linear(g, `${path}.output.dense`, active, { inputs: intermediate, outputs: hidden });
    return addAndNorm(g, `${path}.output.LayerNorm`, [narrow, y], norm);
  }
  const sizes = { inputs: hidden, outputs: intermediate, parts: 2, bias: false };
  const [gated, up] = fusedLinear(g, `${path}.mlp.gated_layers`, y, sizes);
  const product = g.scope(`${path}.mlp`, () => g.op('Mul', [activations[gate](g, gated!), up]));
  const narrow = linear(g, `${path}.mlp.wo`, product, { inputs: intermediate, outputs: hidden });
  return addAndNorm(g, `${path}.mlp.layernorm`, [narrow, y], norm);
}

/** `x = LN1(x + LN(x + attention(x)))`, then `x = LN2(x + mlp(x))` */
function encodeNormalized(g: GraphBuilder, config: JinaBertConfig, shared: Shared, x: Value, path: string): Value {
  const { hidden, intermediate, feedForward, activation, epsilon } = config;
  const norm = { size: hidden, epsilon };
  const y = addAndNorm(g, `${path}.layer_norm_1`, [attend(g, config, shared, x, path), x], norm);
  const gate = gates[feedForward];
  const sizes = { inputs: hidden, outputs: intermediate, bias: false };
  let wide: Value;
  if (gate === undefined) {
    const up = linear(g, `${path}.mlp.up_layer`, y, sizes);
    wide = g.scope(`${path}.mlp`, () => activations[activation](g, up));
  } else {
    const [up, gated] = fusedLinear(g, `${path}.mlp.up_gated_layer`, y, { ...sizes, parts: 2 });
    wide = g.scope(`${path}.mlp`, () => g.op('Mul', [up, activations[gate](g, gated!)]));
  }
  const narrow = linear(g, `${path}.mlp.down_layer`, wide, { inputs: intermediate, outputs: hidden });
  return addAndNorm(g, `${path}.layer_norm_2`, [narrow, y], norm);
}

/** `LN(x + Wo attention(x))`; queries and keys are normalised where the checkpoint has norms for them. */
function attend(
  g: GraphBuilder,
  { hidden, heads, epsilon }: JinaBertConfig,
  shared: Shared,
  x: Value,
  path: string,
): Value {
  const square = { inputs: hidden, outputs: hidden };
  const norm = { size: hidden, epsilon };
  const self = `${path}.attention.self`;
  const normalized = (value: Value, name: string) =>
    g.hasWeight(normalizedQueries) ? layerNorm(g, `${self}.${name}`, value, norm) : value;
  const q = normalized(linear(g, `${self}.query`, x, square), 'layer_norm_q');
  const k = normalized(linear(g, `${self}.key`, x, square), 'layer_norm_k');
  const v = linear(g, `${self}.value`, x, square);
  const context = biasedAttention(g, self, [q, k, v], { heads, size: hidden / heads }, shared);
  const attended = linear(g, `${path}.attention.output.dense`, context, square);
  return addAndNorm(g, `${path}.attention.output.LayerNorm`, [attended, x], norm);
}

function addAndNorm(
  g: GraphBuilder,
  path: string,
  [a, b]: readonly [Value, Value],
  norm: { readonly size: number; readonly epsilon: number },
): Value {
  return layerNorm(
    g,
    path,
    g.scope(path, () => g.op('Add', [a, b])),
    norm,
  );
}

/**
 * One slope a head (Press et al. 2022): a geometric sequence for powers of two; other counts take those of the next
 * smaller power, then every second one of the next larger.
 */
export function alibiSlopes(heads: number): readonly number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const geometric = (count: number) => Array.from({ length: count }, (_, head) => 2 ** ((-8 * (head + 1)) / count));
  const between = geometric(2 * power).filter((_, head) => head % 2 === 0);
  return [...geometric(power), ...between.slice(0, heads - power)];
}
