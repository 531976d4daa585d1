import type { Architecture } from './architecture.ts';
import { bertEmbeddings, bertLayers } from './bert-layers.ts';
import { ConfigFields } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, shapeOf } from './post-norm-config.ts';

/**
 * BERT (Devlin et al. 2018), as `BertModel` of transformers computes it.
 * - Post-norm: each sublayer is added to its input, then normalised; there is no final norm.
 * - Token types are always 0: one row of the table is added to every token.
 * - Learned absolute positions 0, 1, 2, ...
 * - JinaBERT also says `model_type: "bert"`; it has no position table, so tensor names tell them apart.
 */
export const bert: Architecture<BertConfig> = {
  about: {
    unusual: 'the plain one: post-norm, learned positions',
    examples: [
      'sentence-transformers/all-MiniLM-L6-v2',
      'avsolatorio/NoInstruct-small-Embedding-v0',
      'intfloat/e5-small-v2',
      'intfloat/e5-base-v2',
      'intfloat/e5-large-v2',
      'BAAI/bge-small-en-v1.5',
      'BAAI/bge-base-en-v1.5',
      'BAAI/bge-large-en-v1.5',
      'NeuML/pubmedbert-base-embeddings',
      'NeuML/pubmedbert-base-embeddings-matryoshka',
      'mixedbread-ai/mxbai-embed-large-v1',
      'thenlper/gte-base',
    ],
  },
  prefixes: ['bert.'],
  matches: (_config, tensors) =>
    tensors.has('embeddings.position_embeddings.weight') && !tensors.has('encoder.layer.0.mlp.wo.weight'),
  parseConfig(json) {
    const fields = new ConfigFields(json);
    return { ...parsePostNormConfig(fields), tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }) };
  },
  describe: shapeOf,
  build(g, config, inputs) {
    const x = bertEmbeddings(g, { ...config, size: config.hidden }, inputs);
    return bertLayers(g, config, inputs, x);
  },
};

interface BertConfig extends PostNormConfig {
  readonly tokenTypes: number;
}
