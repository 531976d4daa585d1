import type { DType, Graph, Initializer, Node } from './graph.ts';
import { int } from './graph.ts';
import { type ListedNode, listNodes, readsOf } from './list-nodes.ts';
import { typeCodes } from './types.ts';

/** The name under which a cut graph gives the first output of the node it was cut after. */
export const cutOutput = 'value';

/**
 * The part of a graph that computes one node, for debugging. A node inside a branch is computed as if its branch were
 * taken, and one inside a loop as in its first round: names are unique, so what it needs is lifted out. 16-bit floats
 * are widened, because JavaScript has none, and so are values of unknown type.
 */
export function cut(graph: Graph, { number, node, branches }: ListedNode): Graph {
  const needed = new Set(node.outputs.slice(0, 1));
  const nodes: Node[] = [];
  for (const { node: candidate } of listNodes(graph)
    .slice(0, number + 1)
    .toReversed()) {
    if (!candidate.outputs.some((output) => needed.has(output))) continue;
    nodes.unshift(candidate);
    for (const name of readsOf(candidate)) needed.add(name);
  }
  const dtype: DType =
    node.dtype === undefined || node.dtype === 'float16' || node.dtype === 'bfloat16' ? 'float32' : node.dtype;
  return {
    name: `${graph.name} up to ${node.name}`,
    inputs: graph.inputs.filter(({ name }) => needed.has(name)),
    outputs: [{ name: cutOutput, dtype }],
    nodes: [...nodes, outputOf(node, dtype)],
    initializers: [...graph.initializers, ...branches.flatMap(firstRound)].filter(({ name }) => needed.has(name)),
    ...(graph.format === undefined ? {} : { format: graph.format }),
  };
}

/** What the body of a loop takes, as constants: index 0, and the condition to go on. */
function firstRound({ inputs }: Graph): readonly Initializer[] {
  return inputs.map(({ name, dtype }) => {
    const bytes = dtype === 'bool' ? Uint8Array.of(1) : new Uint8Array(8);
    return { name, dtype, shape: [], data: { kind: 'inline', bytes } };
  });
}

function outputOf(node: Node, dtype: DType): Node {
  const attributes = { to: int(typeCodes[dtype]) };
  return {
    name: cutOutput,
    op: 'Cast',
    domain: '',
    inputs: node.outputs.slice(0, 1),
    outputs: [cutOutput],
    dtype,
    attributes,
  };
}
