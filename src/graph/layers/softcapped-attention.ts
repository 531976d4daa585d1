import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { attentionPenalty, type Penalty } from './attention-penalty.ts';
import { type Heads, type QueryKeyValue, splitHeads, transpose } from './heads.ts';
import { padded } from './padded.ts';
import { overQueryBlocks, type QueryBlock } from './query-blocks.ts';
import { countFrom, larger, sliceAxis } from './sizes.ts';

export interface SoftcappedOptions extends Heads {
  /** Scores become `softcap tanh(score / softcap)`, so that none exceeds it. */
  readonly softcap: number;
  /** A token sees itself and the `window - 1` before it; all before it when absent. */
  readonly window?: number;
}

const blockRows = 64; // Gemma2's scores of 64 rows, 8 heads and 8192 keys are 16 MB

/**
 * Causal attention with soft-capped scores. q: `[tokens, heads * size]`, k and v: `[tokens, keyHeads * size]` ->
 * `[tokens, heads * size]`. No kernel has a cap and constant memory, so it is written out, block by block of queries.
 */
export function softcappedAttention(
  g: GraphBuilder,
  path: string,
  qkv: QueryKeyValue,
  options: SoftcappedOptions,
  inputs: PackedInputs,
): Value {
  const { heads, keyHeads = heads, size } = options;
  return g.scope(path, () =>
    padded(g, qkv, { inputs, resultSize: heads * size }, (inner, [queries, keys, values]) => {
      const ofKeys = { heads: keyHeads, size };
      const keyColumns = transpose(inner, splitHeads(inner, keys!, ofKeys), [0, 1, 3, 2]); // [batch, keyHeads, size, length]
      const valueRows = splitHeads(inner, values!, ofKeys);
      return overQueryBlocks(inner, queries!, { rows: blockRows, size: heads * size }, (body, block) =>
        attendBlock(body, block, { keyColumns, valueRows, inputs }, options),
      );
    }),
  );
}

interface Operands {
  readonly keyColumns: Value;
  readonly valueRows: Value;
  readonly inputs: PackedInputs;
}

/** The heads that share keys are stacked as rows, so that keys are not repeated. */
function attendBlock(
  g: GraphBuilder,
  block: QueryBlock,
  { keyColumns, valueRows, inputs }: Operands,
  { heads, keyHeads = heads, size, scale = size ** -0.5, softcap, window }: SoftcappedOptions,
): Value {
  const from =
    window === undefined ? g.index(0) : larger(g, g.op('Sub', [block.first, g.index(window - 1)]), g.index(0));
  const rows = [(heads / keyHeads) * blockRows, blockRows] as const;
  const queries = g.op('Reshape', [splitHeads(g, block.queries, { heads, size }), g.int64(0, keyHeads, rows[0], size)]);
  const scores = g.op('MatMul', [
    g.op('Mul', [queries, g.scalar(scale / softcap)]),
    sliceAxis(g, keyColumns, 3, [from, block.end]),
  ]);
  const capped = g.op('Mul', [g.op('Tanh', [scores]), g.scalar(softcap)]);
  const keys = countFrom(g, from, g.op('Sub', [block.end, from]));
  const rule: Penalty = { kind: 'causal', ...(window === undefined ? {} : { window }) };
  const penalty = attentionPenalty(g, rule, { queries: block.positions, keys }, inputs);
  const byHead = g.op('Add', [g.op('Reshape', [capped, g.int64(0, heads, rows[1], -1)]), penalty]);
  const weights = g.op('Softmax', [byHead], { attributes: { axis: int(-1) } });
  const stacked = g.op('Reshape', [weights, g.int64(0, keyHeads, rows[0], -1)]);
  const context = g.op('MatMul', [stacked, sliceAxis(g, valueRows, 2, [from, block.end])]);
  const split = g.op('Reshape', [context, g.int64(0, heads, rows[1], size)]);
  return g.op('Reshape', [transpose(g, split, [0, 2, 1, 3]), g.int64(0, rows[1], heads * size)]);
}
