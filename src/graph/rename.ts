import type { Attribute, Graph } from './graph.ts';

/** The graph with every value under another name, inside branches too. Names of nodes stay; '' is no value and stays. */
export function renameValues(graph: Graph, rename: (name: string) => string): Graph {
  const to = (name: string): string => (name === '' ? '' : rename(name));
  return {
    ...graph,
    inputs: graph.inputs.map((port) => ({ ...port, name: to(port.name) })),
    outputs: graph.outputs.map((port) => ({ ...port, name: to(port.name) })),
    initializers: graph.initializers.map((initializer) => ({ ...initializer, name: to(initializer.name) })),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(to),
      outputs: node.outputs.map(to),
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([name, attribute]) => [name, renameInside(attribute, rename)]),
      ),
    })),
  };
}

function renameInside(attribute: Attribute, rename: (name: string) => string): Attribute {
  return attribute.kind === 'graph' ? { kind: 'graph', value: renameValues(attribute.value, rename) } : attribute;
}
