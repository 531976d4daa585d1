import type { Graph, Node } from '../graph.ts';
import { readsOf } from '../list-nodes.ts';

/** Leaves out nodes and constants that nobody reads any more. Branches stay as they are. */
export function prune(graph: Graph): Graph {
  const read = new Set(graph.outputs.map(({ name }) => name));
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => read.has(output))) continue;
    nodes.unshift(node);
    for (const name of readsOf(node)) read.add(name);
  }
  return { ...graph, nodes, initializers: graph.initializers.filter(({ name }) => read.has(name)) };
}
