import { isQuantized, type Precision } from '../graph/precision.ts';
import type { Provider } from '../graph/passes/all.ts';

/** Relative work of sequences of these lengths in one batch, in units of one token's linear layers. */
export type CostModel = (lengths: readonly number[]) => number;

export interface CostShape {
  readonly hidden: number;
}

/*
 * Measured with onnxruntime-node 1.30 on one core (docs/benchmarks.md). A batch pays once for reading the weights and
 * for starting its operators. Attention over the padded square runs at about half the rate of the linear layers, and
 * slower with a mask, which only batches of unequal lengths need.
 */
const tokensPerRun = 8;
const maskedSlowdown = 1.4;
const attentionSlowdown = 2;

/** Tokens of one batch: enough to run at full speed, few enough that the next query need not wait long. */
export function batchTokensOf(provider: Provider, precision: Precision): number {
  if (provider === 'cuda') return 16_384;
  return precision === 'int8' ? 512 : 256; // the same time
}

/**
 * Quantised weights run sequences of one length only: attention with padding differs from that without by 1e-7, which
 * rounding to codes makes 1e-3, and a text is to have the same vector alone and among others.
 */
export function costModel(shape: CostShape, provider: Provider, precision: Precision = 'float32'): CostModel {
  const cost = provider === 'cpu' ? cpuCost(shape) : paddedCost;
  if (!isQuantized(precision)) return cost;
  return (lengths) => (lengths.every((length) => length === lengths[0]) ? cost(lengths) : Infinity);
}

/** A transformer layer costs `24 hidden^2` per token in its linear parts and `4 hidden * longest` in attention. */
function cpuCost({ hidden }: CostShape): CostModel {
  return (lengths) => {
    let tokens = 0;
    let longest = 0;
    let isEqual = true;
    for (const length of lengths) {
      if (longest !== 0 && length !== longest) isEqual = false;
      longest = Math.max(longest, length);
      tokens += length;
    }
    const padded = lengths.length * longest;
    const attention = (padded * longest * attentionSlowdown) / (6 * hidden);
    return tokensPerRun + tokens + attention * (isEqual ? 1 : maskedSlowdown);
  };
}

/**
 * Milliseconds that a unit of cost takes on a machine far slower than any it runs on, for `parameters` numbers in the
 * weights: a run that needs longer hangs.
 */
export function slowestMsPerCost(parameters: number): number {
  const slowestFlops = 5e9; // a twentieth of one core of today
  return ((2 * parameters) / slowestFlops) * 1000;
}

/** A GPU has arithmetic to spare: what counts is how little of a batch is padding. Not measured yet. */
function paddedCost(lengths: readonly number[]): number {
  return 1024 + lengths.length * Math.max(...lengths);
}
