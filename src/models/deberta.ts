import type { GraphBuilder, Value } from '../graph/builder.ts';
import { disentangledAttention } from '../graph/layers/disentangled-attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { linear } from '../graph/layers/linear.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { type BucketRange, logarithmicBuckets } from './logarithmic-buckets.ts';
import { parsePostNormConfig, type PostNormConfig, shapeOf } from './post-norm-config.ts';
import { postNormLayer, type PostNormNames } from './post-norm-layer.ts';

/**
 * DeBERTa-v3 (He et al. 2021), as `DebertaV2Model` of transformers computes it; its `model_type` is "deberta-v2".
 * - Nothing is added to the words: no positions, no token types. Positions enter in attention only.
 * - One table of distances serves all layers, normalised first. Each layer projects it with the weights that project
 *   the tokens.
 * - Distances share buckets: one each up to a quarter of the rows of the table, then logarithmic.
 * - Scores are divided by `sqrt(3 size)`, as three products are summed.
 * - The convolution of DeBERTa-v2 xlarge is not built.
 */
export const deberta: Architecture<DebertaConfig> = {
  about: {
    unusual: 'disentangled attention: positions enter in attention only',
    examples: ['microsoft/deberta-v3-base'],
  },
  prefixes: ['deberta.'],
  unused: /^(lm_predictions|mask_predictions|embeddings\.position_embeddings)\./,
  parseConfig,
  describe: shapeOf,
  build(g, config, inputs) {
    const { hidden: size, heads, layers, vocabulary, epsilon } = config;
    const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
    let x = layerNorm(g, 'embeddings.LayerNorm', words, { size, epsilon });
    const table = distanceTable(g, config);
    const buckets = g.cast(g.floats('bucket of each distance', logarithmicBuckets(config)), 'int64');
    const ofHeads = { heads, size: size / heads, scale: (3 * (size / heads)) ** -0.5 };
    for (let layer = 0; layer < layers; layer++)
      x = postNormLayer(g, `encoder.layer.${layer}`, x, {
        ...config,
        names,
        attend: (path, qkv) => {
          const project = (name: string) => linear(g, `${path}.${name}`, table, { inputs: size, outputs: size });
          const ofDistances = { queries: project('query_proj'), keys: project('key_proj') };
          const positions = { ...ofDistances, buckets, distances: 2 * config.positions - 1 };
          return disentangledAttention(g, path, qkv, ofHeads, { inputs, positions });
        },
      });
    return x;
  },
};

interface DebertaConfig extends PostNormConfig, BucketRange {
  readonly isTableNormalized: boolean;
}

const names: PostNormNames = {
  query: 'attention.self.query_proj',
  key: 'attention.self.key_proj',
  value: 'attention.self.value_proj',
  attended: 'attention.output.dense',
  attendedNorm: 'attention.output.LayerNorm',
  wide: 'intermediate.dense',
  narrow: 'output.dense',
  outputNorm: 'output.LayerNorm',
};

const maxPositions = 65_536; // no weights stand behind the number, and the graph holds two of each distance

function parseConfig(json: unknown): DebertaConfig {
  const fields = new ConfigFields(json);
  const config = parsePostNormConfig(fields, { epsilon: 1e-7 });
  fields.integer('max_position_embeddings', { max: maxPositions });
  for (const field of ['relative_attention', 'share_att_key']) fields.choice(field, isTrue, 'true');
  fields.choice('position_biased_input', isFalse, 'false');
  fields.choice('pos_att_type', isBoth, '"p2c|c2p"');
  fields.fixed('type_vocab_size', 0);
  fields.fixed('conv_kernel_size', 0);
  fields.fixed('embedding_size', config.hidden);
  fields.fixed('attention_head_size', config.hidden / config.heads);
  const furthest = fields.integer('max_relative_positions', { fallback: -1, min: -1 });
  const limit = furthest < 1 ? config.positions : furthest;
  const buckets = fields.integer('position_buckets', { fallback: -1, min: -1 });
  return {
    ...config,
    span: buckets > 1 ? buckets : limit,
    logarithmicTo: buckets > 1 ? limit : undefined,
    isTableNormalized: fields.choice('norm_rel_ebd', isNormName, '"layer_norm" or "none"', 'none') === 'layer_norm',
  };
}

function isTrue(value: unknown): value is true {
  return value === true;
}

function isFalse(value: unknown): value is false {
  return value === false;
}

/** As a list or as one text. */
function isBoth(value: unknown): value is unknown {
  const kinds: unknown = typeof value === 'string' ? value.split('|') : value;
  return Array.isArray(kinds) && kinds.length === 2 && kinds.includes('p2c') && kinds.includes('c2p');
}

function isNormName(value: unknown): value is 'layer_norm' | 'none' {
  return value === 'layer_norm' || value === 'none';
}

/** `[2 span, hidden]` */
function distanceTable(g: GraphBuilder, { hidden: size, span, epsilon, isTableNormalized }: DebertaConfig): Value {
  const table = g.weight('encoder.rel_embeddings.weight', [2 * span, size]);
  return isTableNormalized ? layerNorm(g, 'encoder.LayerNorm', table, { size, epsilon }) : table;
}
