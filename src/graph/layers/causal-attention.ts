import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { headAttributes, type Heads, narrowHeads, type QueryKeyValue, widenHeads } from './heads.ts';
import { padded } from './padded.ts';
import { longestOf } from './sizes.ts';

export interface CausalOptions extends Heads {
  /** A token sees itself and the `window - 1` before it; all before it when absent. */
  readonly window?: number;
}

/** Sizes that every causal layer of a graph shares; see `causalSizes`. */
export interface CausalSizes {
  /** Index of the last position, for each sequence. `[batch]` int32 */
  readonly lastPositions: Value;
  /** `[]` int32 */
  readonly longest: Value;
}

/** Made once a graph. Padding comes last, where no real token sees it, so every sequence counts as the longest. */
export function causalSizes(g: GraphBuilder, inputs: PackedInputs): CausalSizes {
  return g.scope('causal_sizes', () => {
    const longest = g.cast(longestOf(g, inputs), 'int32');
    const last = g.op('Sub', [longest, g.cast(g.index(1), 'int32')]);
    const batch = g.op('Shape', [inputs.lengths], { dtype: 'int64' });
    return { lastPositions: g.op('Expand', [last, batch]), longest };
  });
}

const headMultiple = 8; // GroupQueryAttention takes no other size of a head

/**
 * Attention in which a token sees itself and what stands before it. q: `[tokens, heads * size]`, k and v:
 * `[tokens, keyHeads * size]` -> `[tokens, heads * size]`. The kernel is flash-style and skips what lies ahead.
 */
export function causalAttention(
  g: GraphBuilder,
  path: string,
  qkv: QueryKeyValue,
  options: CausalOptions,
  shared: { readonly inputs: PackedInputs; readonly sizes: CausalSizes },
): Value {
  const { heads, keyHeads = heads, size, scale = size ** -0.5 } = options;
  const wide = Math.ceil(size / headMultiple) * headMultiple;
  return g.scope(path, () => {
    if (wide === size) return attend(g, qkv, options, shared);
    // Columns of zeros change no score and give columns of zeros.
    const widen = (x: Value, count: number) => widenHeads(g, x, { heads: count, size, wide });
    const widened = [widen(qkv[0], heads), widen(qkv[1], keyHeads), widen(qkv[2], keyHeads)] as const;
    return narrowHeads(g, attend(g, widened, { ...options, size: wide, scale }, shared), { heads, size, wide });
  });
}

function attend(
  g: GraphBuilder,
  qkv: QueryKeyValue,
  options: CausalOptions,
  { inputs, sizes }: { readonly inputs: PackedInputs; readonly sizes: CausalSizes },
): Value {
  const { heads, keyHeads = heads, size, window } = options;
  const attributes = {
    ...headAttributes(options),
    kv_num_heads: int(keyHeads),
    ...(window === undefined ? {} : { local_window_size: int(window) }),
  };
  const noPast = [undefined, undefined];
  return padded(g, qkv, { inputs, resultSize: heads * size }, (inner, padded3) =>
    inner.op('GroupQueryAttention', [...padded3, ...noPast, sizes.lastPositions, sizes.longest], {
      attributes,
      domain: 'com.microsoft',
      unreadOutputs: 2, // the keys and values: without them the kernel falls back to scores of length x length
    }),
  );
}
