import { readFileSync } from 'node:fs';
import { toBatches } from '../context.ts';
import type { Context } from '../context.ts';
import type { Contestant } from '../contestant.ts';
import { toMessage } from '../message.ts';
import { fromRounds } from '../report.ts';

const part = 'cores';
const batchSize = 64;
const variants = [
  { contestant: 'ours float32', env: {} },
  { contestant: 'ours int8', env: { EMBEDDINGS_BITSANDBYTES: '8bit' } },
] as const;

/** The library with everything on one core and one runner, against two cores and two runners, by turns. */
export async function measureCores(context: Context): Promise<void> {
  for (const { contestant, env } of variants) {
    try {
      await measureVariant(context, contestant, env);
    } catch (error) {
      if (contestant === 'ours float32') throw error;
      context.report.leaveOut({ part, contestant, reason: toMessage(error) });
    }
  }
}

async function measureVariant(
  context: Context,
  contestant: string,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const { texts, report, quick } = context;
  const one = await startOn(context, { cores: '0', env: { ...env, EMBEDDINGS_REPLICAS: '1' } });
  const two = await startOn(context, { cores: '0,1', env: { ...env, EMBEDDINGS_REPLICAS: '2' } });
  const command = { batches: toBatches(texts, batchSize), concurrency: 4 };
  const rate = async (engine: Contestant): Promise<number> => {
    const { wallSeconds } = (await engine.ask(command)) as { wallSeconds: number };
    return texts.length / wallSeconds;
  };
  try {
    const rounds: { one: number; two: number }[] = [];
    for (let round = 0; round <= (quick ? 1 : 5); round++) rounds.push({ one: await rate(one), two: await rate(two) });
    rounds.shift(); // warms up
    const unit = 'texts/s';
    report.add(
      fromRounds(
        { part, contestant, name: 'one core', unit },
        rounds.map((round) => round.one),
      ),
    );
    report.add(
      fromRounds(
        { part, contestant, name: 'two cores', unit },
        rounds.map((round) => round.two),
      ),
    );
    const ratios = rounds.map((round) => round.two / round.one);
    const goal = { kind: 'atLeast', limit: 1.85 } as const;
    const note = describeCores();
    report.add(fromRounds({ part, contestant, name: 'two over one', unit: 'x', goal, note }, ratios));
  } finally {
    await Promise.all([one.close(), two.close()]);
  }
}

function startOn(
  context: Context,
  { cores, env }: { cores: string; env: Readonly<Record<string, string>> },
): Promise<Contestant> {
  return context.startOurEngine({ ...env, EMBEDDINGS_THREADS: '1' }, { cores });
}

/** Two threads of one core are not two cores. */
function describeCores(): string {
  try {
    const siblings = readFileSync('/sys/devices/system/cpu/cpu0/topology/thread_siblings_list', 'utf8').trim();
    return siblings === '0' ? 'two cores' : `cpu 0 shares its core: ${siblings}`;
  } catch {
    return 'cores of unknown kind';
  }
}
