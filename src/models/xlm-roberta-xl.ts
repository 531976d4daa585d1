import type { GraphBuilder, Value } from '../graph/builder.ts';
import { activations } from '../graph/layers/activation.ts';
import { attention } from '../graph/layers/attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { linear } from '../graph/layers/linear.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, robertaShapeOf } from './post-norm-config.ts';

/**
 * XLM-RoBERTa XL (Goyal et al. 2021), as `XLMRobertaXLModel` of transformers computes it.
 * - Pre-norm, unlike every other BERT: a sublayer sees its normalised input and is added to the input itself.
 * - No norm after the embeddings; one after the last layer, `encoder.LayerNorm`.
 * - The norm before the MLP is `LayerNorm` of the layer; nothing is normed behind a dense layer.
 * - Positions as in RoBERTa: they begin behind the padding id, and tokens with that id are not counted.
 */
export const xlmRobertaXl: Architecture<XlmRobertaXlConfig> = {
  about: {
    unusual: 'pre-norm, a norm after the last layer',
    examples: ['facebook/xlm-roberta-xl', 'facebook/xlm-roberta-xxl'],
  },
  prefixes: ['roberta.'],
  parseConfig(json) {
    const fields = new ConfigFields(json);
    const paddingId = fields.integer('pad_token_id', { fallback: 1, min: 0 });
    fields.integer('max_position_embeddings', { min: paddingId + 2 }); // one token at the least
    return {
      ...parsePostNormConfig(fields, { epsilon: 1e-5 }), // the fields are the same, the order of the norms is not
      tokenTypes: fields.integer('type_vocab_size', { fallback: 1 }),
      paddingId,
    };
  },
  describe: (config) => robertaShapeOf(config, config.paddingId),
  build,
};

interface XlmRobertaXlConfig extends PostNormConfig {
  readonly tokenTypes: number;
  readonly paddingId: number;
}

function build(g: GraphBuilder, config: XlmRobertaXlConfig, inputs: PackedInputs): Value {
  let x = embed(g, config, inputs);
  for (let layer = 0; layer < config.layers; layer++) x = encode(g, config, inputs, x, `encoder.layer.${layer}`);
  return layerNorm(g, 'encoder.LayerNorm', x, { size: config.hidden, epsilon: config.epsilon });
}

/** `word[id] + type[0] + position[p]` */
function embed(
  g: GraphBuilder,
  { vocabulary, positions, tokenTypes, hidden: size }: XlmRobertaXlConfig,
  inputs: PackedInputs,
): Value {
  const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
  const type = embedding(g, 'embeddings.token_type_embeddings', g.index(0), { rows: tokenTypes, size });
  const places = embedding(g, 'embeddings.position_embeddings', inputs.positionIds, { rows: positions, size });
  return g.scope('embeddings', () => g.op('Add', [g.op('Add', [words, type]), places]));
}

/** `x = x + Wo attention(LN x)`, then `x = x + W2 act(W1 LN x)` */
function encode(
  g: GraphBuilder,
  { hidden, heads, intermediate, activation, epsilon }: XlmRobertaXlConfig,
  inputs: PackedInputs,
  x: Value,
  path: string,
): Value {
  const square = { inputs: hidden, outputs: hidden };
  const norm = { size: hidden, epsilon };

  const seen = layerNorm(g, `${path}.attention.self_attn_layer_norm`, x, norm);
  const q = linear(g, `${path}.attention.self.query`, seen, square);
  const k = linear(g, `${path}.attention.self.key`, seen, square);
  const v = linear(g, `${path}.attention.self.value`, seen, square);
  const context = attention(g, `${path}.attention.self`, [q, k, v], { heads, size: hidden / heads }, inputs);
  const attended = linear(g, `${path}.attention.output.dense`, context, square);
  const y = g.scope(`${path}.attention.output`, () => g.op('Add', [attended, x]));

  const normed = layerNorm(g, `${path}.LayerNorm`, y, norm);
  const wide = linear(g, `${path}.intermediate.dense`, normed, { inputs: hidden, outputs: intermediate });
  const active = g.scope(`${path}.intermediate`, () => activations[activation](g, wide));
  const narrow = linear(g, `${path}.output.dense`, active, { inputs: intermediate, outputs: hidden });
  return g.scope(`${path}.output`, () => g.op('Add', [narrow, y]));
}
