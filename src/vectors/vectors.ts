/** One buffer of `rows` vectors. Layout: `data[row * dim + column]`. */
export interface Vectors {
  readonly data: Float32Array;
  readonly rows: number;
  readonly dim: number;
}
