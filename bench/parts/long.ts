import { join } from 'node:path';
import { Contestant } from '../contestant.ts';
import type { Context } from '../context.ts';
import { measureGemms } from '../gemm.ts';
import { flopOf, longModels, longShape, writeLongModel } from '../long-models.ts';
import { fromRounds } from '../report.ts';
import { median } from '../stats.ts';

interface Run {
  readonly cpuSeconds: number;
  readonly aboveWeightsMb: number;
  readonly isFinite: boolean;
}

/**
 * One text of 8192 tokens on one thread: time against what its operations need at the rate of the model's own matrix
 * products, and memory above the loaded weights.
 */
export async function measureLong(context: Context): Promise<void> {
  const { root, dist, report, scratch, quick } = context;
  const part = 'long';
  const tokens = quick ? 2048 : 8192;
  const [rates = []] = await measureGemms(context, { shapes: [longShape], rounds: 5 });
  const gflops = median(rates);
  report.add({ part, name: 'matrix products, 256x768 by 768x3072', unit: 'GFLOP/s', value: gflops });
  for (const model of longModels) {
    const folder = join(scratch, model);
    writeLongModel(folder, model);
    const worker = new Contestant({
      command: process.execPath,
      args: [join(root, '.bench/build/long-worker.js'), dist, folder, '1'],
    });
    try {
      await worker.next();
      const runs: Run[] = [];
      for (let round = 0; round < (quick ? 1 : 3); round++) runs.push((await worker.ask({ tokens })) as Run);
      if (!runs.every((run) => run.isFinite)) throw new Error(`${model} gave numbers that are not finite.`);
      const seconds = runs.map((run) => run.cpuSeconds);
      const ideal = flopOf(tokens) / gflops / 1e9;
      const name = `${model}, ${tokens} tokens`;
      report.add(fromRounds({ part, name: `${name}, CPU`, unit: 's' }, seconds));
      report.add(
        fromRounds(
          { part, name: `${name}, time over that of its operations`, unit: 'x', goal: { kind: 'atMost', limit: 1.3 } },
          seconds.map((value) => value / ideal),
        ),
      );
      report.add({
        part,
        name: `${name}, memory above the weights`,
        unit: 'MB',
        value: Math.max(...runs.map((run) => run.aboveWeightsMb)),
        goal: { kind: 'atMost', limit: 1200 },
      });
    } finally {
      await worker.close();
    }
  }
}
