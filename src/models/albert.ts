import { attention } from '../graph/layers/attention.ts';
import { linear } from '../graph/layers/linear.ts';
import type { Architecture } from './architecture.ts';
import { bertEmbeddings } from './bert-layers.ts';
import { ConfigFields, maxLayers } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, shapeOf } from './post-norm-config.ts';
import { postNormLayer, type PostNormNames } from './post-norm-layer.ts';

/**
 * ALBERT (Lan et al. 2019), as `AlbertModel` of transformers computes it.
 * - One layer of weights, applied `num_hidden_layers` times. With `num_hidden_groups` the layers are that many equal
 *   runs, each with a group of its own; a group is `inner_group_num` layers one after another.
 * - Embeddings have `embedding_size` columns; `embedding_hidden_mapping_in` widens them, whatever the sizes are.
 * - The activation is the tanh form of GELU unless the config says otherwise.
 */
export const albert: Architecture<AlbertConfig> = {
  about: {
    unusual: 'one layer of weights for all layers',
    examples: ['sentence-transformers/paraphrase-albert-small-v2'],
  },
  prefixes: ['albert.'],
  unused: /^sop_classifier\./,
  parseConfig(json) {
    const fields = new ConfigFields(json);
    const layers = fields.integer('num_hidden_layers', { max: maxLayers });
    return {
      ...parsePostNormConfig(fields, { activation: 'gelu_new' }),
      tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }),
      embeddingSize: fields.integer('embedding_size', { fallback: 128 }),
      groups: fields.integer('num_hidden_groups', { fallback: 1, max: layers }),
      layersInGroup: fields.integer('inner_group_num', { fallback: 1, max: Math.floor(maxLayers / layers) }),
    };
  },
  describe: shapeOf,
  build(g, config, inputs) {
    const { hidden, heads, layers, embeddingSize, groups, layersInGroup } = config;
    const embedded = bertEmbeddings(g, { ...config, size: embeddingSize }, inputs);
    let x = linear(g, 'encoder.embedding_hidden_mapping_in', embedded, { inputs: embeddingSize, outputs: hidden });
    for (let layer = 0; layer < layers; layer++) {
      const group = Math.floor((layer * groups) / layers);
      for (let inner = 0; inner < layersInGroup; inner++)
        x = postNormLayer(g, `encoder.albert_layer_groups.${group}.albert_layers.${inner}`, x, {
          ...config,
          names,
          attend: (path, qkv) => attention(g, path, qkv, { heads, size: hidden / heads }, inputs),
        });
    }
    return x;
  },
};

interface AlbertConfig extends PostNormConfig {
  readonly tokenTypes: number;
  readonly embeddingSize: number;
  readonly groups: number;
  readonly layersInGroup: number;
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
