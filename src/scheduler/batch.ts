/** What one run of the engine works on: packed tokens without padding. */
export interface Batch {
  /** Token ids of all sequences one after another. `[total_tokens]` */
  readonly ids: Int32Array;
  /** Sequence `i` is `ids[offsets[i]] .. ids[offsets[i + 1] - 1]`. `[rows + 1]` */
  readonly offsets: Int32Array;
}
