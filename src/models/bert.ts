import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { ActivationName } from '../graph/layers/activation.ts';
import { activations, isActivationName } from '../graph/layers/activation.ts';
import { attention } from '../graph/layers/attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { linear } from '../graph/layers/linear.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';

/**
 * BERT (Devlin et al. 2018), as `BertModel` of transformers computes it.
 * - Post-norm: each sublayer is added to its input, then normalised; there is no final norm.
 * - Token types are always 0: one row of the table is added to every token.
 * - Learned absolute positions 0, 1, 2, ...
 * - JinaBERT also says `model_type: "bert"`; it has no position table, so tensor names tell them apart.
 */
export const bert: Architecture<BertConfig> = {
  modelTypes: ['bert'],
  prefixes: ['bert.'],
  matches: (_config, tensors) =>
    tensors.has('embeddings.position_embeddings.weight') && !tensors.has('encoder.layer.0.mlp.wo.weight'),
  parseConfig,
  describe: (config) => ({
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxTokens: config.positions,
    positions: { first: 0 },
  }),
  build,
};

interface BertConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly positions: number;
  readonly tokenTypes: number;
  readonly activation: ActivationName;
  readonly epsilon: number;
}

function parseConfig(json: unknown): BertConfig {
  const fields = new ConfigFields(json);
  fields.fixed('position_embedding_type', 'absolute');
  fields.fixed('is_decoder', false); // a decoder masks later tokens
  const hidden = fields.integer('hidden_size');
  return {
    hidden,
    layers: fields.integer('num_hidden_layers'),
    heads: fields.divisor('num_attention_heads', 'hidden_size', hidden),
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    positions: fields.integer('max_position_embeddings'),
    tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }),
    activation: fields.choice('hidden_act', isActivationName, `one of ${Object.keys(activations).join(', ')}`, 'gelu'),
    epsilon: fields.positive('layer_norm_eps', 1e-12),
  };
}

function build(g: GraphBuilder, config: BertConfig, inputs: PackedInputs): Value {
  let x = embed(g, config, inputs);
  for (let layer = 0; layer < config.layers; layer++) x = encode(g, config, inputs, x, `encoder.layer.${layer}`);
  return x;
}

/** `LN(word[id] + type[0] + position[p])` */
function embed(
  g: GraphBuilder,
  { vocabulary, positions, tokenTypes, hidden: size, epsilon }: BertConfig,
  inputs: PackedInputs,
): Value {
  const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
  const type = embedding(g, 'embeddings.token_type_embeddings', g.index(0), { rows: tokenTypes, size });
  const places = embedding(g, 'embeddings.position_embeddings', inputs.positionIds, { rows: positions, size });
  const sum = g.scope('embeddings', () => g.op('Add', [g.op('Add', [words, type]), places]));
  return layerNorm(g, 'embeddings.LayerNorm', sum, { size, epsilon });
}

/** `x = LN(x + Wo attention(x))`, then `x = LN(x + W2 act(W1 x))` */
function encode(
  g: GraphBuilder,
  { hidden, heads, intermediate, activation, epsilon }: BertConfig,
  inputs: PackedInputs,
  x: Value,
  path: string,
): Value {
  const square = { inputs: hidden, outputs: hidden };
  const norm = { size: hidden, epsilon };

  const q = linear(g, `${path}.attention.self.query`, x, square);
  const k = linear(g, `${path}.attention.self.key`, x, square);
  const v = linear(g, `${path}.attention.self.value`, x, square);
  const context = attention(g, `${path}.attention.self`, [q, k, v], { heads, size: hidden / heads }, inputs);
  const attended = linear(g, `${path}.attention.output.dense`, context, square);
  const y = layerNorm(
    g,
    `${path}.attention.output.LayerNorm`,
    g.scope(`${path}.attention.output`, () => g.op('Add', [attended, x])),
    norm,
  );

  const wide = linear(g, `${path}.intermediate.dense`, y, { inputs: hidden, outputs: intermediate });
  const active = g.scope(`${path}.intermediate`, () => activations[activation](g, wide));
  const narrow = linear(g, `${path}.output.dense`, active, { inputs: intermediate, outputs: hidden });
  return layerNorm(
    g,
    `${path}.output.LayerNorm`,
    g.scope(`${path}.output`, () => g.op('Add', [narrow, y])),
    norm,
  );
}
