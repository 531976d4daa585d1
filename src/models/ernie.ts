import type { Architecture } from './architecture.ts';
import { bertEmbeddings, bertLayers } from './bert-layers.ts';
import { ConfigFields } from './config-fields.ts';
import { parsePostNormConfig, type PostNormConfig, shapeOf } from './post-norm-config.ts';

/**
 * ERNIE (Sun et al. 2019), as `ErnieModel` of transformers computes it: BERT but for one more table.
 * - With `use_task_id`, the row of task type 0 is added to every token.
 */
export const ernie: Architecture<ErnieConfig> = {
  about: {
    unusual: 'may add a task type to every token',
    examples: ['nghuyong/ernie-3.0-base-zh'],
  },
  prefixes: ['ernie.'],
  parseConfig(json) {
    const fields = new ConfigFields(json);
    return {
      ...parsePostNormConfig(fields),
      tokenTypes: fields.integer('type_vocab_size', { fallback: 2 }),
      taskTypes: fields.boolean('use_task_id', false)
        ? fields.integer('task_type_vocab_size', { fallback: 3 })
        : undefined,
    };
  },
  describe: shapeOf,
  build(g, config, inputs) {
    const x = bertEmbeddings(g, { ...config, size: config.hidden }, inputs);
    return bertLayers(g, config, inputs, x);
  },
};

interface ErnieConfig extends PostNormConfig {
  readonly tokenTypes: number;
  readonly taskTypes: number | undefined;
}
