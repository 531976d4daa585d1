/**
 * The search for one block's scale and zero point. It minimises `sum(cost * (value - scale * (code - zero))^2)` with
 * `code = round(value / scale + zero)` held to 0..15:
 *
 * - The plain scale spreads the 16 codes from the least to the greatest value. We start from it and from its
 *   neighbours, each with the nearest whole zero point: a larger scale may lose less to that rounding, and in a smaller
 *   range the errors shrink by more than the few values cut off add.
 * - For given codes the best scale is a least-squares fit, `sum(cost * d * value) / sum(cost * d^2)` with
 *   `d = code - zero`, which takes `sum(cost * d * value)^2 / sum(cost * d^2)` off the error. It moves some codes,
 *   so it is made twice.
 *
 * The method is that of `make_qkx2_quants` in llama.cpp's ggml-quants.c, with a whole zero point for its minimum.
 */

/** One block, copied out of its row, and what was found for it. Made once and filled again and again. */
export interface Block {
  readonly values: Float64Array;
  readonly costs: Float64Array;
  /** Values in use, from the first. */
  length: number;
  /** What `fitScale` found last. */
  readonly fit: { scale: number; gain: number };
  /** The best found: a number of float32, and a code. */
  scale: number;
  zero: number;
}

const highest = 15; // of 4 bits
/** Starting scales, times the plain one. With 1 among them no block is worse than rounded. More win under 1 %. */
const starts = [1.04, 1, 0.94];

export function emptyBlock(blockSize: number): Block {
  return {
    values: new Float64Array(blockSize),
    costs: new Float64Array(blockSize),
    length: 0,
    fit: { scale: 0, gain: 0 },
    scale: 0,
    zero: 0,
  };
}

/** Finds the scale and the zero point. False when a value is not finite. */
export function fitBlock(block: Block): boolean {
  const { values, length, fit } = block;
  let low = 0; // 0 always has a code
  let high = 0;
  let nothing = 0; // stays 0 for finite values
  for (let i = 0; i < length; i++) {
    const value = values[i]!; // as long as the block
    nothing += value - value;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (nothing !== 0) return false;

  const plain = (high - low) / highest;
  block.scale = 0;
  block.zero = 8;
  if (Math.fround(plain) === 0) return true; // zeros, or numbers too small for a scale
  let most = -1;
  for (const start of starts) {
    const zero = nearestCode((highest - (low + high) / (plain * start)) / 2);
    fitScale(block, plain * start, zero);
    fitScale(block, fit.scale, zero);
    if (fit.gain > most) {
      most = fit.gain;
      block.scale = Math.fround(fit.scale);
      block.zero = zero;
    }
  }
  return true;
}

export function nearestCode(value: number): number {
  const rounded = value + 0.5;
  return rounded < 0 ? 0 : rounded > highest ? highest : rounded | 0; // faster than Math.round
}

/** Leaves what it found in `fit`. */
function fitScale({ values, costs, length, fit }: Block, scale: number, zero: number): void {
  const inverse = 1 / scale;
  let products = 0;
  let squares = 0;
  for (let i = 0; i < length; i++) {
    const value = values[i]!; // as long as the block
    const steps = nearestCode(value * inverse + zero) - zero;
    const weighted = costs[i]! * steps; // as long as the block
    products += weighted * value;
    squares += weighted * steps;
  }
  const isFitted = products > 0; // else no value costs anything, or all have the code of zero: any scale will do
  fit.scale = isFitted ? products / squares : scale;
  fit.gain = isFitted ? (products * products) / squares : 0;
}
