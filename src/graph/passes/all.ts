import type { Graph } from '../graph.ts';
import type { Pass } from '../rewrite.ts';
import { fuseBiasGelu } from './fuse-bias-gelu.ts';
import { fuseSkipLayerNorm } from './fuse-skip-layer-norm.ts';
import { toOlderOpset } from './older-opset.ts';

/** What runs the graph; each has its own fast operators. */
export type Provider = 'cpu' | 'cuda';

/**
 * The rewrites of each provider, in the order they run. The CPU has none: its kernels for the fused operators are
 * scalar and lose to the plain ones (docs/log.md, 2026-11-23).
 */
export const passes: Readonly<Record<Provider, readonly Pass[]>> = {
  cpu: [],
  cuda: [fuseBiasGelu, fuseSkipLayerNorm],
};

export function optimize(graph: Graph, provider: Provider): Graph {
  // What a file computes stays as it is; our nodes around it are few.
  if (graph.format !== undefined) return toOlderOpset(graph);
  return passes[provider].reduce((current, pass) => pass(current), graph);
}
