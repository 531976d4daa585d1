import type { GraphBuilder, Value } from '../graph/builder.ts';
import { biasedAttention, sharePenalty } from '../graph/layers/biased-attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { transpose } from '../graph/layers/heads.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, robertaShapeOf } from './post-norm-config.ts';
import { postNormLayer, type PostNormNames } from './post-norm-layer.ts';
import { relativeBuckets } from './relative-buckets.ts';

/**
 * MPNet (Song et al. 2020), as `MPNetModel` of transformers computes it.
 * - No token types. Positions follow RoBERTa with padding id 1, whatever the config says.
 * - Besides, a learned number per head and bucket of distances is added to the scores, the same in every layer.
 */
export const mpnet: Architecture<PostNormConfig> = {
  about: {
    unusual: 'a learned bias by distance, the same in every layer',
    examples: ['sentence-transformers/all-mpnet-base-v2', 'sentence-transformers/multi-qa-mpnet-base-dot-v1'],
  },
  prefixes: ['mpnet.'],
  parseConfig(json) {
    const fields = new ConfigFields(json);
    fields.fixed('relative_attention_num_buckets', distances.buckets); // the reference computes with this number only
    fields.integer('max_position_embeddings', { min: paddingId + 2 }); // one token at the least
    return parsePostNormConfig(fields);
  },
  describe: (config) => robertaShapeOf(config, paddingId),
  build(g, config, inputs) {
    const { hidden: size, heads, layers, vocabulary, positions, epsilon } = config;
    const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
    const places = embedding(g, 'embeddings.position_embeddings', inputs.positionIds, { rows: positions, size });
    const sum = g.scope('embeddings', () => g.op('Add', [words, places]));
    let x = layerNorm(g, 'embeddings.LayerNorm', sum, { size, epsilon });

    const bias = { kind: 'learned', furthest: distances.maxDistance, byDistance: biasByDistance(g, heads) } as const;
    const shared = sharePenalty(g, bias, inputs);
    for (let layer = 0; layer < layers; layer++)
      x = postNormLayer(g, `encoder.layer.${layer}`, x, {
        ...config,
        names,
        attend: (path, qkv) => biasedAttention(g, path, qkv, { heads, size: size / heads }, { inputs, shared }),
      });
    return x;
  },
};

const paddingId = 1;
const distances = { buckets: 32, maxDistance: 128 };

const names: PostNormNames = {
  query: 'attention.attn.q',
  key: 'attention.attn.k',
  value: 'attention.attn.v',
  attended: 'attention.attn.o',
  attendedNorm: 'attention.LayerNorm',
  wide: 'intermediate.dense',
  narrow: 'output.dense',
  outputNorm: 'output.LayerNorm',
};

/** `[heads, 2 maxDistance + 1]` */
function biasByDistance(g: GraphBuilder, heads: number): Value {
  const path = 'encoder.relative_attention_bias';
  return g.scope(path, () => {
    const table = g.weight(`${path}.weight`, [distances.buckets, heads]);
    const buckets = g.cast(g.floats('bucket of each distance', relativeBuckets(distances)), 'int64');
    return transpose(g, g.op('Gather', [table, buckets]), [1, 0]);
  });
}
