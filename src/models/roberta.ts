import type { Architecture } from './architecture.ts';
import { bertEmbeddings, bertLayers } from './bert-layers.ts';
import { ConfigFields } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, robertaShapeOf } from './post-norm-config.ts';

/**
 * RoBERTa (Liu et al. 2019), XLM-RoBERTa, CamemBERT and their renamed copies, as `RobertaModel` of transformers
 * computes them: BERT but for its positions.
 * - Positions start after `pad_token_id` of config.json, 2 where it is 1, so 514 rows are enough for 512 tokens.
 * - Tokens of that id are not counted and all have the row of the id, wherever they stand; the tokenizer's padding
 *   token may be another.
 * - With `pad_token_id` 0 the first token of a text, id 0, has row 0.
 * - Rotary relatives also say `model_type: "xlm-roberta"`; they have no position table.
 */
export const roberta: Architecture<RobertaConfig> = {
  about: {
    unusual: 'positions begin behind the padding id',
    examples: [
      'ibm-granite/granite-embedding-30m-english',
      'ibm-granite/granite-embedding-125m-english',
      'ibm-granite/granite-embedding-107m-multilingual',
      'ibm-granite/granite-embedding-278m-multilingual',
      'dangvantuan/vietnamese-embedding',
      'heydariAI/persian-embeddings',
      'Lajavaness/bilingual-embedding-small',
      'Lajavaness/bilingual-embedding-base',
      'Lajavaness/bilingual-embedding-large',
      'BAAI/bge-m3',
      'intfloat/multilingual-e5-large',
      'Snowflake/snowflake-arctic-embed-l-v2.0',
    ],
  },
  prefixes: ['roberta.', 'xlm-roberta.', 'camembert.'],
  matches: (_config, tensors) => tensors.has('embeddings.position_embeddings.weight'),
  parseConfig(json) {
    const fields = new ConfigFields(json);
    const paddingId = fields.integer('pad_token_id', { fallback: 1, min: 0 });
    fields.integer('max_position_embeddings', { min: paddingId + 2 }); // one token at the least
    return {
      ...parsePostNormConfig(fields),
      tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }),
      paddingId,
    };
  },
  describe: (config) => robertaShapeOf(config, config.paddingId),
  build(g, config, inputs) {
    const x = bertEmbeddings(g, { ...config, size: config.hidden }, inputs);
    return bertLayers(g, config, inputs, x);
  },
};

interface RobertaConfig extends PostNormConfig {
  readonly tokenTypes: number;
  readonly paddingId: number;
}
