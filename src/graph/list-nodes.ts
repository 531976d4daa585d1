import type { Graph, Node } from './graph.ts';

/** A node of a graph or of one of its branches, with the number the debugger knows it by. */
export interface ListedNode {
  readonly number: number;
  readonly node: Node;
  /** The branches around the node, outermost first. */
  readonly branches: readonly Graph[];
}

/** Every node in execution order; those of branches follow the node that owns them. */
export function listNodes(graph: Graph): readonly ListedNode[] {
  const listed: ListedNode[] = [];
  visit(graph, [], listed);
  return listed;
}

function visit(graph: Graph, branches: readonly Graph[], listed: ListedNode[]): void {
  for (const node of graph.nodes) {
    listed.push({ number: listed.length, node, branches });
    for (const branch of branchesOf(node)) visit(branch, [...branches, branch], listed);
  }
}

export function branchesOf(node: Node): readonly Graph[] {
  return Object.values(node.attributes).flatMap((attribute) => (attribute.kind === 'graph' ? [attribute.value] : []));
}

/** What a node and the branches inside it read, values that the branches make themselves included. */
export function readsOf(node: Node): readonly string[] {
  const inside = branchesOf(node).flatMap(({ nodes, outputs }) => [
    ...nodes.flatMap(readsOf),
    ...outputs.map(({ name }) => name),
  ]);
  return [...node.inputs, ...inside];
}
