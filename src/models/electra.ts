import { linear } from '../graph/layers/linear.ts';
import type { Architecture } from './architecture.ts';
import { bertEmbeddings, bertLayers } from './bert-layers.ts';
import { ConfigFields } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, shapeOf } from './post-norm-config.ts';

/**
 * ELECTRA (Clark et al. 2020), as `ElectraModel` of transformers computes it: BERT but for the width of its tables.
 * - Embeddings have `embedding_size` columns; where that is not `hidden_size`, `embeddings_project` widens them after
 *   their norm. Base and large models have one width and no such layer.
 */
export const electra: Architecture<ElectraConfig> = {
  about: {
    unusual: 'embeddings narrower than the layers',
    examples: ['google/electra-base-discriminator'],
  },
  prefixes: ['electra.'],
  parseConfig(json) {
    const fields = new ConfigFields(json);
    return {
      ...parsePostNormConfig(fields),
      tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }),
      embeddingSize: fields.integer('embedding_size', { fallback: 128 }),
    };
  },
  describe: shapeOf,
  build(g, config, inputs) {
    const { hidden, embeddingSize } = config;
    const embedded = bertEmbeddings(g, { ...config, size: embeddingSize }, inputs);
    const x =
      embeddingSize === hidden
        ? embedded
        : linear(g, 'embeddings_project', embedded, { inputs: embeddingSize, outputs: hidden });
    return bertLayers(g, config, inputs, x);
  },
};

interface ElectraConfig extends PostNormConfig {
  readonly tokenTypes: number;
  readonly embeddingSize: number;
}
