import type { Graph, Node } from '../graph.ts';
import { float } from '../graph.ts';
import { replaceNodes, Uses } from '../rewrite.ts';
import { rowBiasOf, withoutBias } from './row-bias.ts';

const defaultEpsilon = float(1e-5); // of LayerNormalization; the fused operator has another default

/**
 * - `LayerNormalization(Add(a, b))` becomes `SkipLayerNormalization(a, b)`: the sum is never written to memory.
 * - One of `a`, `b` must come from a Gemm, as in every residual block. The fused operator needs two operands of one
 *   shape, and a sum such as `words + type[0]` of an embedding is broadcast.
 * - When that Gemm has a bias, the bias moves into the fused node too.
 */
export function fuseSkipLayerNorm(graph: Graph): Graph {
  const uses = new Uses(graph);
  const replacements = new Map<Node, readonly Node[]>();
  for (const norm of graph.nodes) {
    const [sum, scale, shift] = norm.inputs;
    if (!isOverLastAxis(norm) || !scale || !shift) continue;
    const add = uses.onlyFor(sum, 'Add');
    if (add === undefined || !add.inputs.some((operand) => uses.producer(operand)?.op === 'Gemm')) continue;
    if (add.inputs.some((operand) => uses.constantShape(operand) !== undefined)) continue;
    const inputs = [...add.inputs, scale, shift];
    const gemm = add.inputs.map((operand) => uses.onlyFor(operand, 'Gemm')).find((node) => rowBiasOf(node, uses));
    const bias = rowBiasOf(gemm, uses);
    if (gemm !== undefined && bias !== undefined) {
      replacements.set(gemm, [withoutBias(gemm)]);
      inputs.push(bias);
    }
    const attributes = { epsilon: norm.attributes['epsilon'] ?? defaultEpsilon };
    replacements.set(add, []);
    replacements.set(norm, [{ ...norm, op: 'SkipLayerNormalization', domain: 'com.microsoft', inputs, attributes }]);
  }
  return replaceNodes(graph, replacements);
}

/** The only axis the fused operator knows, counted from the end because ranks are not. */
function isOverLastAxis({ op, outputs, attributes: { axis } }: Node): boolean {
  const isLast = axis === undefined || (axis.kind === 'int' && axis.value === -1);
  return op === 'LayerNormalization' && outputs.length === 1 && isLast;
}
