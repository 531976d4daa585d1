import type { Graph } from '../graph/graph.ts';
import type { CopiedTensor } from '../graph/derivation.ts';
import type { TensorIndex } from '../store/safetensors.ts';

/** What a graph takes from the checkpoint unchanged; ONNX Runtime maps files of one folder only, so it moves along. */
export function listCopies({ initializers }: Graph): readonly CopiedTensor[] {
  return initializers.flatMap(({ name, shape, data }) =>
    data.kind === 'checkpoint' && data.view.bytes === undefined
      ? [{ kind: 'copy' as const, from: { ...data.view, shape }, to: name }]
      : [],
  );
}

/** The graph with every tensor where it lies now. */
export function bindTensors(graph: Graph, tensors: TensorIndex): Graph {
  return {
    ...graph,
    initializers: graph.initializers.map((initializer) => {
      const view = tensors.get(initializer.name);
      if (view === undefined) return initializer;
      return { ...initializer, shape: view.shape, data: { kind: 'checkpoint', view } };
    }),
  };
}
