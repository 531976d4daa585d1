import type { Graph, Node } from '../graph.ts';
import { listNodes } from '../list-nodes.ts';

/** Where the operators of attention take their values: the third input, or what the softmax is multiplied with. */
const valueInputs: Readonly<Record<string, number>> = { MultiHeadAttention: 2, GroupQueryAttention: 2, MatMul: 1 };
const views = ['Reshape', 'Gather', 'Expand', 'Pad', 'Slice', 'Transpose', 'Identity', 'Unsqueeze', 'Concat', 'Cast'];

/** The linear layers that make the values of attention. */
export function findValues(graph: Graph): ReadonlySet<Node> {
  const nodes = listNodes(graph).map(({ node }) => node);
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const found = new Set<Node>();
  for (const { op, inputs } of nodes) {
    const at = valueInputs[op];
    if (at === undefined || (op === 'MatMul' && producers.get(inputs[0] ?? '')?.op !== 'Softmax')) continue;
    let source = producers.get(inputs[at] ?? '');
    while (source !== undefined && views.includes(source.op)) source = producers.get(source.inputs[0] ?? '');
    if (source?.op === 'Gemm') found.add(source);
  }
  return found;
}
