import { join } from 'node:path';
import { Contestant } from './contestant.ts';
import type { Context } from './context.ts';
import { median } from './stats.ts';

/** A matrix product `[rows, inner]` by `[inner, outer]`. */
export interface GemmShape {
  readonly rows: number;
  readonly inner: number;
  readonly outer: number;
}

const rows = 256;
const layers = 6;
const hidden = 384;

/** The products of a layer of all-MiniLM-L6-v2. */
export const miniLmShapes = [
  { name: 'query, key and value', rows, inner: hidden, outer: 3 * hidden },
  { name: 'attention output', rows, inner: hidden, outer: hidden },
  { name: 'up projection', rows, inner: hidden, outer: 4 * hidden },
  { name: 'down projection', rows, inner: 4 * hidden, outer: hidden },
] as const;

/** Work of a text: the linear layers, and `Q K^T` and `softmax V` over all pairs of tokens. */
export function flopOfMiniLm(tokens: number): number {
  const linear = miniLmShapes.reduce((sum, { inner, outer }) => sum + 2 * inner * outer, 0);
  return layers * tokens * (linear + 4 * tokens * hidden);
}

/** GFLOP/s of each round of one product, on one thread of ONNX Runtime, for each shape. */
export async function measureGemms(
  { root, dist }: Pick<Context, 'root' | 'dist'>,
  { shapes, rounds }: { shapes: readonly GemmShape[]; rounds: number },
): Promise<number[][]> {
  const gemm = new Contestant({ command: process.execPath, args: [join(root, '.bench/build/gemm-worker.js'), dist] });
  try {
    await gemm.next();
    const rates: number[][] = [];
    for (const { rows: count, inner, outer } of shapes) {
      const answer = await gemm.ask({ rows: count, inner, outer, rounds });
      rates.push((answer as { gflops: number[] }).gflops);
    }
    return rates;
  } finally {
    await gemm.close();
  }
}

/** GFLOP/s of all products of the model together. */
export async function weightedGemmRate(context: Context): Promise<number> {
  return toWeightedRate(await measureGemms(context, { shapes: miniLmShapes, rounds: context.quick ? 3 : 9 }));
}

/** Of the rates of miniLmShapes: all the work over all the time. */
export function toWeightedRate(rates: readonly (readonly number[])[]): number {
  const work = miniLmShapes.map(({ inner, outer }) => inner * outer);
  const seconds = work.reduce((sum, flop, i) => sum + flop / median(rates[i] ?? []), 0);
  return work.reduce((sum, flop) => sum + flop, 0) / seconds;
}
