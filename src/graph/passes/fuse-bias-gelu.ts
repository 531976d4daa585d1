import type { Graph, Node } from '../graph.ts';
import { replaceNodes, Uses } from '../rewrite.ts';
import { rowBiasOf, withoutBias } from './row-bias.ts';

/**
 * - `Gelu(Gemm(x, W, b))` becomes `BiasGelu(Gemm(x, W), b)`: one pass over the widest activation instead of two.
 * - Only the exact (erf) form: BiasGelu has no other.
 */
export function fuseBiasGelu(graph: Graph): Graph {
  const uses = new Uses(graph);
  const replacements = new Map<Node, readonly Node[]>();
  for (const gelu of graph.nodes) {
    if (gelu.op !== 'Gelu' || gelu.attributes['approximate'] !== undefined) continue;
    const gemm = uses.onlyFor(gelu.inputs[0], 'Gemm');
    const bias = rowBiasOf(gemm, uses);
    if (gemm === undefined || bias === undefined) continue;
    replacements.set(gemm, [withoutBias(gemm)]);
    replacements.set(gelu, [{ ...gelu, op: 'BiasGelu', domain: 'com.microsoft', inputs: [...gemm.outputs, bias] }]);
  }
  return replaceNodes(graph, replacements);
}
