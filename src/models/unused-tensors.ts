import type { Graph } from '../graph/graph.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import type { Architecture } from './architecture.ts';

/** Heads for other work than embedding, and buffers that any implementation computes for itself. */
const neverNeeded =
  /^(pooler|cls|lm_head|classifier|score|predictions|qa_outputs|vocab_[\w.]+|discriminator_[\w.]+|generator_[\w.]+)(\.|$)|(^|\.)(position_ids|token_type_ids|inv_freq|masked_bias)$/;

/**
 * Tensors of the checkpoint that the graph leaves out though no rule says that it may: the model may have a part that
 * this architecture does not know.
 */
export function findUnusedTensors(
  graph: Graph,
  tensors: TensorIndex,
  { unused }: Pick<Architecture<unknown>, 'unused'>,
): readonly string[] {
  const used = new Set(graph.initializers.flatMap(({ data }) => (data.kind === 'checkpoint' ? [data.view.name] : [])));
  return [...tensors].flatMap(([name, view]) =>
    used.has(view.name) || neverNeeded.test(name) || unused?.test(name) === true ? [] : [name],
  );
}
