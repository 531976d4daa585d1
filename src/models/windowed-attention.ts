import type { GraphBuilder, Value } from '../graph/builder.ts';
import { attention } from '../graph/layers/attention.ts';
import { biasedAttention, sharePenalty } from '../graph/layers/biased-attention.ts';
import { causalAttention, causalSizes } from '../graph/layers/causal-attention.ts';
import type { Heads, QueryKeyValue } from '../graph/layers/heads.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';

export interface WindowedAttentionOptions {
  readonly heads: Heads;
  /** Whether a token sees only itself and what stands before it. */
  readonly isCausal: boolean;
  /** Every window that a layer of the model has. */
  readonly windows: readonly (number | undefined)[];
}

/** Attention of one layer; a token sees keys with `|i - j| < window`, all without one. See `causalAttention` for shapes. */
export type AttendLayer = (path: string, qkv: QueryKeyValue, window: number | undefined) => Value;

/** The attention of models whose layers differ by their window. Made once a graph: what layers share is computed once. */
export function windowedAttention(
  g: GraphBuilder,
  inputs: PackedInputs,
  { heads, isCausal, windows }: WindowedAttentionOptions,
): AttendLayer {
  if (isCausal) {
    const sizes = causalSizes(g, inputs);
    return (path, qkv, window) =>
      causalAttention(g, path, qkv, { ...heads, ...(window === undefined ? {} : { window }) }, { inputs, sizes });
  }
  const penalties = new Map(
    [...new Set(windows)]
      .filter((window) => window !== undefined)
      .map((window) => [window, sharePenalty(g, { kind: 'window', reach: window - 1 }, inputs)]),
  );
  return (path, qkv, window) => {
    const shared = window === undefined ? undefined : penalties.get(window);
    if (shared === undefined) return attention(g, path, qkv, heads, inputs);
    return biasedAttention(g, path, qkv, heads, { inputs, shared });
  };
}
