import type { Graph } from '../graph.ts';
import { fuseBiasGelu } from '../passes/fuse-bias-gelu.ts';

/**
 * GELU with the bias before it in one pass over memory. It is the tanh form, which differs from the exact one by less than
 * 0.0005: a twentieth of a step of the 8-bit codes that are made of it.
 */
export function fuseFastGelu(graph: Graph): Graph {
  const fused = fuseBiasGelu(graph);
  return { ...fused, nodes: fused.nodes.map((node) => (node.op === 'BiasGelu' ? { ...node, op: 'FastGelu' } : node)) };
}
