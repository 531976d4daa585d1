import type { Graph, Node } from '../graph.ts';
import { replaceNodes, Uses } from '../rewrite.ts';

/**
 * - `LayerNormalization(Add(a, b))` becomes `SkipLayerNormalization(a, b)`: the sum is never written to memory.
 * - When `a` comes from a Gemm with a bias, the bias moves into the fused node too.
 */
export function fuseSkipLayerNorm(graph: Graph): Graph {
  const uses = new Uses(graph);
  const replacements = new Map<Node, readonly Node[]>();
  for (const norm of graph.nodes) {
    if (norm.op !== 'LayerNormalization') continue;
    const add = uses.onlyFor(norm.inputs[0], 'Add');
    const [, scale, shift] = norm.inputs;
    if (add === undefined || scale === undefined || shift === undefined) continue;
    const inputs = [...add.inputs, scale, shift];
    const gemm = uses.onlyFor(add.inputs[0], 'Gemm');
    const bias = gemm?.inputs[2];
    if (gemm !== undefined && bias !== undefined) {
      replacements.set(gemm, [{ ...gemm, inputs: gemm.inputs.slice(0, 2) }]);
      inputs.push(bias);
    }
    const { axis: _lastAxis, ...attributes } = norm.attributes; // the fused operator knows only the last axis
    replacements.set(add, []);
    replacements.set(norm, [{ ...norm, op: 'SkipLayerNormalization', domain: 'com.microsoft', inputs, attributes }]);
  }
  return replaceNodes(graph, replacements);
}
