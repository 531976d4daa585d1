import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { alibiReach } from './alibi-reach.ts';
import { attentionPenalty, type BidirectionalPenalty } from './attention-penalty.ts';
import { headAttributes, type Heads, type QueryKeyValue, splitHeads } from './heads.ts';
import { overQueryBlocks, type QueryBlock } from './query-blocks.ts';
import { countFrom, larger, sizeOf, sliceAxis, smaller } from './sizes.ts';

/** Rows of a block: keys are packed for the product once a block, and a window of few keys wants few rows. */
const blockRows = { alibi: 256, learned: 256, window: 128 } as const;
const alibiGroups = 3; // steep heads see few keys of a long text; in one group all would see what the flattest sees

/** Heads that see equally far. */
interface HeadGroup {
  readonly heads: number;
  readonly penalty: BidirectionalPenalty;
  /** Most positions between a query and a key it sees. `[]` int64 */
  readonly reach: Value;
  /** First column in a row of all heads. */
  readonly column: number;
  /** `[batch, heads, length, size]` */
  readonly keys: Value;
  readonly values: Value;
}

/** Attention in blocks of queries, each with the keys within its reach. q, k, v: `[batch, length, heads * size]`. */
export function biasedBlocks(
  g: GraphBuilder,
  [q, k, v]: QueryKeyValue,
  heads: Heads,
  { inputs, penalty }: { readonly inputs: PackedInputs; readonly penalty: BidirectionalPenalty },
): Value {
  const order = steepestFirst(penalty);
  const queries = orderHeads(g, q, heads, order);
  const [keys, values] = [k, v].map((x) => splitHeads(g, orderHeads(g, x, heads, order), heads));
  const length = sizeOf(g, q, 1);
  const groups = groupHeads(g, { queries, keys: keys!, values: values!, length }, heads, penalty);
  const size = heads.heads * heads.size;
  const attended = overQueryBlocks(g, queries, { rows: blockRows[penalty.kind], size }, (inner, block) => {
    const parts = groups.map((group) => attendGroup(inner, block, group, { heads, inputs, length }));
    return parts.length === 1 ? parts[0]! : inner.op('Concat', parts, { attributes: { axis: int(2) } });
  });
  return orderHeads(g, attended, heads, order && inverse(order));
}

/** k and v: `[batch, columns, heads * size]` or `[batch, heads, columns, size]` */
export function attendWithBias(g: GraphBuilder, qkv: QueryKeyValue, bias: Value, heads: Heads): Value {
  return g.op('MultiHeadAttention', [...qkv, undefined, undefined, bias], {
    attributes: headAttributes(heads),
    domain: 'com.microsoft',
  });
}

function attendGroup(
  g: GraphBuilder,
  block: QueryBlock,
  { heads: count, penalty, reach, column, keys, values }: HeadGroup,
  { heads, inputs, length }: { readonly heads: Heads; readonly inputs: PackedInputs; readonly length: Value },
): Value {
  const from = larger(g, g.op('Sub', [block.first, reach]), g.index(0));
  const to = smaller(g, g.op('Add', [block.end, reach]), length);
  const positions = countFrom(g, from, g.op('Sub', [to, from]));
  const bias = attentionPenalty(g, penalty, { queries: block.positions, keys: positions }, inputs);
  const columns = [g.index(column), g.index(column + count * heads.size)] as const;
  const queries = count === heads.heads ? block.queries : sliceAxis(g, block.queries, 2, columns);
  const inReach = [keys, values].map((x) => sliceAxis(g, x, 2, [from, to]));
  return attendWithBias(g, [queries, inReach[0]!, inReach[1]!], bias, { ...heads, heads: count });
}

/** The order of heads in which those that see equally far are neighbours; undefined where it does not matter. */
function steepestFirst(penalty: BidirectionalPenalty): readonly number[] | undefined {
  if (penalty.kind !== 'alibi') return undefined;
  return penalty.slopes.map((_, head) => head).toSorted((a, b) => penalty.slopes[b]! - penalty.slopes[a]!);
}

interface GroupOperands {
  /** `[batch, length, heads * size]`, heads in order */
  readonly queries: Value;
  /** `[batch, heads, length, size]`, heads in order */
  readonly keys: Value;
  readonly values: Value;
  readonly length: Value;
}

function groupHeads(
  g: GraphBuilder,
  { queries, keys, values, length }: GroupOperands,
  { heads, size, scale = size ** -0.5 }: Heads,
  penalty: BidirectionalPenalty,
): readonly HeadGroup[] {
  if (penalty.kind !== 'alibi') {
    const reach = penalty.kind === 'window' ? g.index(penalty.reach) : length;
    return [{ heads, penalty, reach, column: 0, keys, values }];
  }
  const slopes = penalty.slopes.toSorted((a, b) => b - a);
  const perGroup = Math.ceil(heads / alibiGroups);
  return Array.from({ length: Math.ceil(heads / perGroup) }, (_, index) => {
    const from = index * perGroup;
    const own = slopes.slice(from, from + perGroup);
    const ofGroup = (x: Value, axis: number, unit: number) =>
      sliceAxis(g, x, axis, [g.index(from * unit), g.index((from + own.length) * unit)]);
    const groupKeys = ofGroup(keys, 1, 1);
    const operands = { queries: ofGroup(queries, 2, size), keys: groupKeys, length, size, scale, slope: own.at(-1)! };
    return {
      heads: own.length,
      penalty: { kind: 'alibi', slopes: own },
      reach: alibiReach(g, operands),
      column: from * size,
      keys: groupKeys,
      values: ofGroup(values, 1, 1),
    };
  });
}

/** Rows with their heads in another order. x: `[batch, length, heads * size]` */
function orderHeads(g: GraphBuilder, x: Value, { heads, size }: Heads, order: readonly number[] | undefined): Value {
  if (order === undefined) return x;
  const byHead = g.op('Reshape', [x, g.int64(0, 0, heads, size)]);
  const ordered = g.op('Gather', [byHead, g.int64(...order)], { attributes: { axis: int(2) } });
  return g.op('Reshape', [ordered, g.int64(0, 0, heads * size)]);
}

function inverse(order: readonly number[]): readonly number[] {
  const back: number[] = [];
  for (const [place, head] of order.entries()) back[head] = place;
  return back;
}
