import type { GraphBuilder, Value } from '../graph/builder.ts';
import { attention } from '../graph/layers/attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { PostNormConfig } from './post-norm-config.ts';
import { postNormLayer, type PostNormNames } from './post-norm-layer.ts';

export interface BertEmbeddingsOptions extends Pick<PostNormConfig, 'vocabulary' | 'positions' | 'epsilon'> {
  /** Columns of the tables. */
  readonly size: number;
  readonly tokenTypes: number;
  /** Rows of the table of task types, where there is one. */
  readonly taskTypes?: number | undefined;
}

/** `LN(word[id] + type[0] + position[p])`, and `+ task[0]` where tasks have types: `[tokens, size]` */
export function bertEmbeddings(
  g: GraphBuilder,
  { vocabulary, positions, tokenTypes, taskTypes, size, epsilon }: BertEmbeddingsOptions,
  inputs: PackedInputs,
): Value {
  const summands = [
    embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size }),
    embedding(g, 'embeddings.token_type_embeddings', g.index(0), { rows: tokenTypes, size }),
    embedding(g, 'embeddings.position_embeddings', inputs.positionIds, { rows: positions, size }),
  ];
  if (taskTypes !== undefined)
    summands.push(embedding(g, 'embeddings.task_type_embeddings', g.index(0), { rows: taskTypes, size }));
  const sum = g.scope('embeddings', () => summands.reduce((left, right) => g.op('Add', [left, right])));
  return layerNorm(g, 'embeddings.LayerNorm', sum, { size, epsilon });
}

const names: PostNormNames = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  attended: 'attention.output.dense',
  attendedNorm: 'attention.output.LayerNorm',
  wide: 'intermediate.dense',
  narrow: 'output.dense',
  outputNorm: 'output.LayerNorm',
};

/** The layers of BERT and of those that keep its names. x: `[tokens, hidden]` */
export function bertLayers(g: GraphBuilder, config: PostNormConfig, inputs: PackedInputs, x: Value): Value {
  const heads = { heads: config.heads, size: config.hidden / config.heads };
  let y = x;
  for (let layer = 0; layer < config.layers; layer++)
    y = postNormLayer(g, `encoder.layer.${layer}`, y, {
      ...config,
      names,
      attend: (path, qkv) => attention(g, path, qkv, heads, inputs),
    });
  return y;
}
