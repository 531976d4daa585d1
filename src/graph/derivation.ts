import type { TensorView } from '../store/safetensors.ts';

/**
 * How tensors are made from those of a checkpoint before a graph is loaded. Plain data, which a structured clone keeps.
 * The names are those of initialisers. Formulas: quantization/.
 */
export type Derivation = CopiedTensor | Int8Rows | Int8Linears | BlockLinear;

/** The tensor as it lies in the checkpoint: `[...]` */
export interface CopiedTensor {
  readonly kind: 'copy';
  readonly from: TensorView;
  readonly to: string;
}

/** A table with a scale for each row. `codes`: `[rows, size]` int8, `scales`: `[rows]` float32 */
export interface Int8Rows {
  readonly kind: 'int8-rows';
  /** `[rows, size]` */
  readonly from: TensorView;
  readonly codes: string;
  readonly scales: string;
}

/** The weights of linear layers that read one input, with a scale for each output channel. */
export interface Int8Linears {
  readonly kind: 'int8-linears';
  readonly linears: readonly Int8Linear[];
  readonly smoothing?: Smoothing;
}

export interface Int8Linear {
  /** `[outputs, inputs]` */
  readonly from: TensorView;
  /** `[inputs, outputs]` int8 */
  readonly codes: string;
  /** `[outputs]` float32 */
  readonly scales: string;
}

/** The weight of a linear layer in blocks along each row, as the operator MatMulNBits takes it. */
export interface BlockLinear {
  readonly kind: 'block-linear';
  readonly bits: 4 | 8;
  /** A power of two. */
  readonly blockSize: number;
  /** `[outputs, inputs]` */
  readonly from: TensorView;
  /** `[outputs, blocks, blockSize * bits / 8]` uint8 */
  readonly codes: string;
  /** `[outputs * blocks]` float32 */
  readonly scales: string;
  /** `[outputs * ceil(blocks / 2)]` uint8, of 4 bits only: 8 bits are symmetric. */
  readonly zeroPoints: string;
}

/** Moves range from the channels of an input that is the output of a norm into the weights that read it. */
export interface Smoothing {
  /** Of the norm, `[inputs]` */
  readonly gain: TensorView;
  /** `[inputs]` */
  readonly shift?: TensorView;
  /** What the input is to be multiplied by: `[inputs]` float32 */
  readonly inverse: string;
}
