import { join } from 'node:path';
import { Contestant } from '../contestant.ts';
import type { Context } from '../context.ts';
import { fromRounds } from '../report.ts';

interface Shape {
  readonly name: string;
  readonly inner: number;
  readonly outer: number;
}

const rows = 256;
const shapes: readonly Shape[] = [
  { name: 'query, key and value', inner: 384, outer: 1152 },
  { name: 'attention output', inner: 384, outer: 384 },
  { name: 'up projection', inner: 384, outer: 1536 },
  { name: 'down projection', inner: 1536, outer: 384 },
];

/** What one thread of ONNX Runtime reaches on the model's matrix products alone: the most the engine could. */
export async function measureRoofline({ root, dist, report, quick }: Context): Promise<void> {
  const gemm = new Contestant({ command: process.execPath, args: [join(root, '.bench/build/gemm-worker.js'), dist] });
  try {
    await gemm.next();
    const part = 'roofline';
    let [flop, seconds] = [0, 0];
    for (const { name, inner, outer } of shapes) {
      const { gflops } = (await gemm.ask({ rows, inner, outer, rounds: quick ? 3 : 9 })) as { gflops: number[] };
      const row = fromRounds({ part, name: `${name}, ${rows}x${inner} by ${inner}x${outer}`, unit: 'GFLOP/s' }, gflops);
      report.add(row);
      flop += inner * outer;
      seconds += (inner * outer) / row.value;
    }
    report.add({ part, name: 'all, weighted as in the model', unit: 'GFLOP/s', value: flop / seconds });
  } finally {
    await gemm.close();
  }
}
