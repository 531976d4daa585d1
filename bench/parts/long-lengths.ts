import { join } from 'node:path';
import { Contestant } from '../contestant.ts';
import type { Context } from '../context.ts';
import { measureGemms } from '../gemm.ts';
import { flopOf, longModels, longShape, writeLongModel } from '../long-models.ts';
import type { LongModel } from '../long-models.ts';
import { fromRounds } from '../report.ts';
import { median } from '../stats.ts';

interface Run {
  readonly cpuSeconds: number;
  readonly isFinite: boolean;
}

const part = 'long-lengths';
const lengths = [8, 32, 128, 512, 1024, 2048, 4096, 8192];
const batchTokens = 512; // shorter texts share a batch of so many tokens

/** The engine alone, one thread, on random models of 12 layers, 768 wide: rate and work against the text's length. */
export async function measureLongLengths(context: Context): Promise<void> {
  const [rates = []] = await measureGemms(context, { shapes: [longShape], rounds: 5 });
  const { rows, inner, outer } = longShape;
  const name = `matrix products, ${rows}x${inner} by ${inner}x${outer}`;
  context.report.add({ part, name, unit: 'GFLOP/s', value: median(rates) });
  for (const model of longModels) await sweep(context, model);
}

async function sweep({ root, dist, report, scratch, quick }: Context, model: LongModel): Promise<void> {
  const folder = join(scratch, model);
  writeLongModel(folder, model);
  const worker = new Contestant({
    command: process.execPath,
    args: [join(root, '.bench/build/long-worker.js'), dist, folder, '1'],
  });
  try {
    await worker.next();
    for (const tokens of lengths.filter((length) => !quick || length <= 1024)) {
      const texts = Math.max(1, batchTokens / tokens);
      const seconds: number[] = [];
      for (let round = 0; round < (quick || tokens > 2048 ? 1 : 3); round++) {
        const { cpuSeconds, isFinite } = (await worker.ask({ tokens, texts })) as Run;
        if (!isFinite) throw new Error(`${model} gave numbers that are not finite.`);
        seconds.push(cpuSeconds);
      }
      const add = (measure: string, unit: string, amount: number): void => {
        const row = { part, contestant: model, name: measure, unit, at: { axis: 'tokens a text', value: tokens } };
        const perSecond = seconds.map((value) => amount / value);
        report.add(fromRounds(row, perSecond));
      };
      add('rate by CPU', 'tokens per CPU s', texts * tokens);
      add('work by CPU', 'GFLOP per CPU s', (texts * flopOf(tokens)) / 1e9);
    }
  } finally {
    await worker.close();
  }
}
