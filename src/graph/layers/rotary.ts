import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';

/** Which angle each pair of columns turns by per position. */
export interface RotaryFrequencies {
  /** Radians a position; half as many as a head has columns. */
  readonly inverseFrequencies: readonly number[];
  /** Factor of cosine and sine; 1 but for YaRN and LongRoPE. */
  readonly attentionScale: number;
}

/** Cosine and sine of every token. `[tokens, size / 2]` each */
export interface RotaryTables {
  readonly cos: Value;
  readonly sin: Value;
}

/** Made once a graph for each set of frequencies, in float32 whatever the weights are. `key` names the set. */
export function rotaryTables(
  g: GraphBuilder,
  key: string,
  { inverseFrequencies, attentionScale }: RotaryFrequencies,
  inputs: PackedInputs,
): RotaryTables {
  return g.scope(`rotary_${key}`, () => {
    const frequencies = g.floats(`inv_freq ${key}`, inverseFrequencies, [1, inverseFrequencies.length]);
    const positions = g.op('Unsqueeze', [g.cast(inputs.positionIds, 'float32'), g.int64(1)]);
    const angles = g.op('Mul', [positions, frequencies]);
    const scaled = (op: 'Cos' | 'Sin') =>
      attentionScale === 1 ? g.op(op, [angles]) : g.op('Mul', [g.op(op, [angles]), g.scalar(attentionScale)]);
    return { cos: scaled('Cos'), sin: scaled('Sin') };
  });
}

/**
 * Rotary position embedding (Su et al. 2021), half-split: `x cos + [-x2, x1] sin`, x1 and x2 the halves of a head.
 * x: `[tokens, heads * size]`
 */
export function rotary(
  g: GraphBuilder,
  path: string,
  x: Value,
  { heads, size, tables }: { readonly heads: number; readonly size: number; readonly tables: RotaryTables },
): Value {
  return g.scope(path, () => {
    const oneSequence = g.op('Reshape', [x, g.int64(1, -1, heads * size)]);
    // Row t of the tables belongs to packed row t, so positions count from row 0.
    const turned = g.op('RotaryEmbedding', [oneSequence, g.int64(0), tables.cos, tables.sin], {
      attributes: { num_heads: int(heads), interleaved: int(0) },
      domain: 'com.microsoft',
    });
    return g.op('Reshape', [turned, g.int64(-1, heads * size)]);
  });
}
