import type { GraphBuilder, Value } from './builder.ts';

/**
 * The inputs every compiled graph takes: token rows of all sequences one after another, without padding.
 * Only attention and pooling see the padded form `[batch, longest]`, reached through `pad_index`.
 */
export interface PackedInputs {
  /** `[tokens]` int32 */
  readonly inputIds: Value;
  /** `[tokens]` int32 */
  readonly positionIds: Value;
  /** `[batch]` int32 */
  readonly lengths: Value;
  /** Packed row at each padded position; positions past the end repeat the last row. `[batch, longest]` int32 */
  readonly padIndex: Value;
  /** Padded position of each packed row, in the flat `[batch * longest]`. `[tokens]` int32 */
  readonly unpadIndex: Value;
  /** Whether all sequences have one length, so that packed rows are already `[batch, longest]`. `[]` bool */
  readonly equalLengths: Value;
  /** `[batch, longest, -1]` when all lengths are equal, else `[1, tokens, -1]`: a view of packed rows that is always valid. `[3]` int64 */
  readonly viewShape: Value;
}

/** Which position id each token of a sequence gets: `first`, `first + 1`, ... */
export interface PositionRule {
  readonly first: number;
  /** Tokens of this id are not counted and get `first - 1`, as RoBERTa has it. */
  readonly paddingId?: number;
}

export function declarePackedInputs(g: GraphBuilder): PackedInputs {
  return {
    inputIds: g.input('input_ids', 'int32', ['tokens']),
    positionIds: g.input('position_ids', 'int32', ['tokens']),
    lengths: g.input('lengths', 'int32', ['batch']),
    padIndex: g.input('pad_index', 'int32', ['batch', 'longest']),
    unpadIndex: g.input('unpad_index', 'int32', ['tokens']),
    equalLengths: g.input('equal_lengths', 'bool', []),
    viewShape: g.input('view_shape', 'int64', [3]),
  };
}

/** Tokens at the start of each sequence that pooling leaves out. `[batch]` int32. Only graphs that need it take it. */
export function declarePoolingSkips(g: GraphBuilder): Value {
  return g.input('pooling_skips', 'int32', ['batch']);
}
