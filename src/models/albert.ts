import { attention } from '../graph/layers/attention.ts';
import { linear } from '../graph/layers/linear.ts';
import type { Architecture } from './architecture.ts';
import { bertEmbeddings } from './bert-layers.ts';
import { ConfigFields } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, shapeOf } from './post-norm-config.ts';
import { postNormLayer, type PostNormNames } from './post-norm-layer.ts';

/**
 * ALBERT (Lan et al. 2019), as `AlbertModel` of transformers computes it.
 * - One layer of weights, applied `num_hidden_layers` times. Several groups of layers, or several layers in the group,
 *   are not built: no published model has them.
 * - Embeddings have `embedding_size` columns; `embedding_hidden_mapping_in` widens them, whatever the sizes are.
 * - The activation is the tanh form of GELU unless the config says otherwise.
 */
export const albert: Architecture<AlbertConfig> = {
  about: {
    unusual: 'one layer of weights for all layers',
    examples: ['sentence-transformers/paraphrase-albert-small-v2'],
  },
  modelTypes: ['albert'],
  prefixes: ['albert.'],
  unused: /^sop_classifier\./,
  parseConfig(json) {
    const fields = new ConfigFields(json);
    fields.fixed('num_hidden_groups', 1);
    fields.fixed('inner_group_num', 1);
    fields.integer('num_hidden_layers', { max: maxLayers });
    return {
      ...parsePostNormConfig(fields, { activation: 'gelu_new' }),
      tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }),
      embeddingSize: fields.integer('embedding_size', { fallback: 128 }),
    };
  },
  describe: shapeOf,
  build(g, config, inputs) {
    const { hidden, heads, layers, embeddingSize } = config;
    const embedded = bertEmbeddings(g, { ...config, size: embeddingSize }, inputs);
    let x = linear(g, 'encoder.embedding_hidden_mapping_in', embedded, { inputs: embeddingSize, outputs: hidden });
    for (let layer = 0; layer < layers; layer++)
      x = postNormLayer(g, 'encoder.albert_layer_groups.0.albert_layers.0', x, {
        ...config,
        names,
        attend: (path, qkv) => attention(g, path, qkv, { heads, size: hidden / heads }, inputs),
      });
    return x;
  },
};

const maxLayers = 1000; // no weights stand behind the number; published models have 12 or 24

interface AlbertConfig extends PostNormConfig {
  readonly tokenTypes: number;
  readonly embeddingSize: number;
}

const names: PostNormNames = {
  query: 'attention.query',
  key: 'attention.key',
  value: 'attention.value',
  attended: 'attention.dense',
  attendedNorm: 'attention.LayerNorm',
  wide: 'ffn',
  narrow: 'ffn_output',
  outputNorm: 'full_layer_layer_norm',
};
