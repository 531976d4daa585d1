import { join } from 'node:path';
import type { Context } from '../context.ts';
import { Contestant } from '../contestant.ts';
import { fromRounds } from '../report.ts';
import { compareVectors } from '../stats.ts';
import { toMessage } from '../message.ts';
import { readVectors } from '../vectors.ts';

interface Run {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly rows: number;
  readonly dim: number;
}

interface OurRun extends Run {
  readonly tokens: number;
}

interface EngineOptions {
  readonly part: string;
  readonly ours: Contestant;
  /** Least speed-up in CPU time over sentence-transformers. */
  readonly speedUp: number;
  /** Largest difference of any component; quantised weights have other goals, in the part `quality`. */
  readonly maxAbs?: number;
}

export async function measureEngine(context: Context): Promise<void> {
  await compare(context, { part: 'engine', ours: await startOurs(context), speedUp: 1.85, maxAbs: 2e-5 });
}

/** The same with quantised weights on our side, float32 on the other. */
export async function measureInt8(context: Context): Promise<void> {
  const part = 'int8';
  try {
    const ours = await startOurs(context, { EMBEDDINGS_BITSANDBYTES: '8bit' });
    await compare(context, { part, ours, speedUp: 4 });
  } catch (error) {
    context.report.leaveOut({ part, contestant: 'ours int8', reason: toMessage(error) });
  }
}

function startOurs(context: Context, env: Readonly<Record<string, string>> = {}): Promise<Contestant> {
  const { modelsDir } = context.python();
  return context.startOurEngine({
    EMBEDDINGS_MODELS_DIR: modelsDir,
    EMBEDDINGS_REPLICAS: '1',
    EMBEDDINGS_THREADS: '1',
    ...env,
  });
}

/** Both sides get one thread, the same official float32 weights and all texts at once, and take turns. */
async function compare(context: Context, { part, ours, speedUp, maxAbs: limit }: EngineOptions): Promise<void> {
  const { texts, report, scratch, quick } = context;
  const python = context.python();
  const theirs = new Contestant({
    command: python.command,
    args: [join(context.root, 'bench/st_worker.py'), python.modelDir, '1'],
  });
  try {
    report.note({ part, theirs: await theirs.next() });
    const [ourFile, theirFile] = [join(scratch, 'ours.f32'), join(scratch, 'theirs.f32')];
    // The first round warms up, and its vectors are compared.
    const { tokens, dim } = await ours.measure<OurRun>({ batches: [texts], concurrency: 1, vectors: ourFile });
    await theirs.measure<Run>({ texts, vectors: theirFile });
    const { maxAbs, minCosine, meanCosine } = compareVectors({
      a: readVectors(ourFile),
      b: readVectors(theirFile),
      dim,
    });
    report.note({ part, texts: texts.length, tokens });
    report.add({
      part,
      name: 'largest difference of any component',
      unit: '',
      value: maxAbs,
      ...(limit === undefined ? {} : { goal: { kind: 'atMost', limit } }),
    });
    report.add({ part, name: 'smallest cosine', unit: '', value: minCosine });
    report.add({ part, name: 'mean cosine', unit: '', value: meanCosine });

    const rounds: { ours: OurRun; theirs: Run }[] = [];
    for (let round = 0; round < (quick ? 2 : 5); round++) {
      const pair = {
        ours: await ours.measure<OurRun>({ batches: [texts], concurrency: 1 }),
        theirs: await theirs.measure<Run>({ texts }),
      };
      if (pair.ours.rows !== texts.length || pair.theirs.rows !== texts.length)
        throw new Error('A side skipped texts.');
      rounds.push(pair);
    }
    const add = (name: string, unit: string, value: (round: { ours: OurRun; theirs: Run }) => number): void =>
      report.add(fromRounds({ part, name, unit }, rounds.map(value)));
    add('ours, CPU', 's', (round) => round.ours.cpuSeconds);
    add('sentence-transformers, CPU', 's', (round) => round.theirs.cpuSeconds);
    add('ours, wall', 's', (round) => round.ours.wallSeconds);
    add('sentence-transformers, wall', 's', (round) => round.theirs.wallSeconds);
    add('ours', 'tokens per CPU s', (round) => tokens / round.ours.cpuSeconds);
    add(
      'ours, matrix products only',
      'GFLOP/s of CPU time',
      (round) => (tokens * flopPerToken) / round.ours.cpuSeconds / 1e9,
    );
    const ratios = rounds.map((round) => round.theirs.cpuSeconds / round.ours.cpuSeconds);
    const goal = { kind: 'atLeast', limit: speedUp } as const;
    report.add(fromRounds({ part, name: 'speed-up, CPU', unit: 'x', goal }, ratios));
    add('speed-up, wall', 'x', (round) => round.theirs.wallSeconds / round.ours.wallSeconds);
  } finally {
    await Promise.all([ours.close(), theirs.close()]);
  }
}

/** Six layers of query+key+value, attention output, up and down projection; attention itself is left out. */
const flopPerToken = 6 * 2 * (384 * 3 * 384 + 384 * 384 + 384 * 1536 + 1536 * 384);
