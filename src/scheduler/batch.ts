/** What one run of the engine works on: packed tokens without padding. */
export interface Batch {
  /** Token ids of all sequences one after another. `[total_tokens]` */
  readonly ids: Int32Array;
  /** Sequence `i` is `ids[offsets[i]] .. ids[offsets[i + 1] - 1]`. `[rows + 1]` */
  readonly offsets: Int32Array;
  /** Tokens at the start of each sequence that pooling leaves out; absent where it takes all. `[rows]` */
  readonly skips?: Int32Array;
  /** The requests that it works for, the first few: whatever happens to a batch is logged under their ids. */
  readonly requestIds?: readonly string[];
}
