/** One input as token ids, special tokens included. */
export interface Encoded {
  readonly ids: Int32Array;
  /** Number of tokens before the input was cut to the model's length; absent when nothing was cut. */
  readonly fullLength?: number;
  /** Tokens of the prompt at its start, where pooling leaves them out. */
  readonly skip?: number;
}
