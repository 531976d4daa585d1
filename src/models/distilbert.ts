import { attention } from '../graph/layers/attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { parseActivation } from './parse-activation.ts';
import { type PostNormConfig, shapeOf } from './post-norm-config.ts';
import { postNormLayer, type PostNormNames } from './post-norm-layer.ts';

/**
 * DistilBERT (Sanh et al. 2019), as `DistilBertModel` of transformers computes it: BERT under other names.
 * - No token types.
 * - The epsilon of its norms is 1e-12 and stands in no config.
 * - Positions are a table also where `sinusoidal_pos_embds` says how it was filled.
 */
export const distilbert: Architecture<PostNormConfig> = {
  about: {
    unusual: 'BERT without token types',
    examples: ['sentence-transformers/msmarco-distilbert-base-v4', 'sentence-transformers/multi-qa-distilbert-cos-v1'],
  },
  prefixes: ['distilbert.'],
  unused: /^pre_classifier\./,
  parseConfig(json) {
    const fields = new ConfigFields(json);
    const hiddenName = fields.nameOf('dim', 'hidden_size');
    const hidden = fields.integer(hiddenName);
    return {
      hidden,
      layers: fields.integer(fields.nameOf('n_layers', 'num_hidden_layers')),
      heads: fields.divisor(fields.nameOf('n_heads', 'num_attention_heads'), hiddenName, hidden),
      intermediate: fields.integer('hidden_dim'),
      vocabulary: fields.integer('vocab_size'),
      positions: fields.integer('max_position_embeddings'),
      activation: parseActivation(fields, 'activation', 'gelu'),
      epsilon: 1e-12,
    };
  },
  describe: shapeOf,
  build(g, config, inputs) {
    const { hidden: size, heads, layers, vocabulary, positions, epsilon } = config;
    const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
    const places = embedding(g, 'embeddings.position_embeddings', inputs.positionIds, { rows: positions, size });
    const sum = g.scope('embeddings', () => g.op('Add', [words, places]));
    let x = layerNorm(g, 'embeddings.LayerNorm', sum, { size, epsilon });
    for (let layer = 0; layer < layers; layer++)
      x = postNormLayer(g, `transformer.layer.${layer}`, x, {
        ...config,
        names,
        attend: (path, qkv) => attention(g, path, qkv, { heads, size: size / heads }, inputs),
      });
    return x;
  },
};

const names: PostNormNames = {
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  attended: 'attention.out_lin',
  attendedNorm: 'sa_layer_norm',
  wide: 'ffn.lin1',
  narrow: 'ffn.lin2',
  outputNorm: 'output_layer_norm',
};
