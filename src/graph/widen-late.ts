import type { Graph, Node } from './graph.ts';

/**
 * Puts what depends on weights alone before all other nodes, which makes ONNX Runtime compute it late. Of the inputs of
 * a node it first computes the one whose node stands last in the list, with all that comes before it: a weight listed
 * after the value it multiplies is widened before the layers below have run, and so were all weights at once.
 */
export function widenLate(graph: Graph): Graph {
  const constants = new Set(graph.initializers.map(({ name }) => name));
  const early: Node[] = [];
  const others: Node[] = [];
  for (const node of graph.nodes) {
    const isConstant = node.inputs.every((input) => input === '' || constants.has(input));
    (isConstant ? early : others).push(node);
    if (isConstant) for (const output of node.outputs) constants.add(output);
  }
  return { ...graph, nodes: [...early, ...others] };
}
