import { setTimeout as sleep } from 'node:timers/promises';
import { readMetrics } from '../prometheus.ts';
import { embed, runClients, type ClientOptions } from './clients.ts';
import { faults as allFaults, type Fault } from './faults.ts';
import { MemoryWatch, type MemoryReport } from './memory.ts';
import { randomOf, shuffle } from './random.ts';
import { readReferences } from './references.ts';
import { Tally } from './tally.ts';
import { runnerPids, until, type Target } from './target.ts';

export interface SoakOptions {
  readonly target: Target;
  readonly texts: readonly string[];
  readonly seconds: number;
  readonly faultEverySeconds: number;
  readonly seed: number;
  /** Runners that must be there in the end. */
  readonly runners: number;
  /** Memory before it does not count: caches and arenas fill. */
  readonly settlingSeconds: number;
  /** Most MB an hour by which the memory of all processes may grow; not looked at where undefined. */
  readonly maxSlopeMbPerHour?: number | undefined;
  readonly say: (line: string) => void;
}

export interface SoakReport {
  readonly passed: boolean;
  readonly seconds: number;
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly memory: MemoryReport;
  readonly metrics: Readonly<Record<string, number>>;
  readonly tally: ReturnType<Tally['summary']>;
}

const recoverySeconds = 60;
const reportEverySeconds = 60;

/** Loads a server for a while and lets things go wrong all the time; nobody may get a wrong vector, or no answer. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { target, seconds, seed, say } = options;
  const references = await readReferences(target, options.texts);
  say(`${references.length} references; ${seconds} s of load begin`);
  const random = randomOf(seed);
  const tally = new Tally();
  const memory = new MemoryWatch(target.pid);
  const end = performance.now() + seconds * 1000;
  const counts: Record<string, number> = {};
  let breaking = 0;
  const isOn = (): boolean => performance.now() < end;
  const clients: ClientOptions = { target, references, tally, random, isOn, mayBreak: () => breaking > 0 };
  const ticker = setInterval(
    () => say(`${tally.answered} answers, ${tally.problems} problems`),
    reportEverySeconds * 1000,
  );

  const strike = async (fault: Fault): Promise<void> => {
    counts[fault.name] = (counts[fault.name] ?? 0) + 1;
    if (fault.mayBreak === true) breaking++;
    try {
      await fault.inject({ target, tally, random });
    } catch (error) {
      tally.problem(`${fault.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (fault.mayBreak === true) await sleep(1000).then(() => breaking--); // what was cut is still being noticed
  };
  const strikeInTurn = async (): Promise<void> => {
    const struck: Promise<void>[] = [];
    let waiting: Fault[] = [];
    while (isOn()) {
      if (waiting.length === 0) waiting = shuffle(faultsFor(options), random);
      struck.push(strike(waiting.pop()!));
      await sleep(Math.min(options.faultEverySeconds * 1000, Math.max(0, end - performance.now())));
    }
    await Promise.all(struck);
  };

  await Promise.all([runClients(clients), strikeInTurn()]);
  clearInterval(ticker);
  say('the load is over; looking at what is left');
  const isWhole = async (): Promise<boolean> =>
    (await runnerPids(target)).length === options.runners && (await fetch(`${target.url}/readyz`)).ok;
  if (!(await until(isWhole, recoverySeconds))) tally.problem(`not every runner is back after ${recoverySeconds} s`);
  for (const reference of references.slice(0, 100)) await embed(clients, 'afterwards', [reference]);
  const measured = memory.stop(options.settlingSeconds);
  const { maxSlopeMbPerHour = Infinity } = options;
  if (measured.slopeMbPerHour > maxSlopeMbPerHour)
    tally.problem(`memory grows by ${measured.slopeMbPerHour.toFixed(1)} MB an hour, at most ${maxSlopeMbPerHour} may`);
  return {
    passed: tally.problems === 0,
    seconds,
    seed,
    faults: counts,
    memory: measured,
    metrics: await pickMetrics(target),
    tally: tally.summary(),
  };
}

/** A fault that takes longer than the whole soak would only be seen from its first half. */
function faultsFor({ seconds }: SoakOptions): readonly Fault[] {
  return allFaults.filter(({ isLong }) => isLong !== true || seconds > 300);
}

async function pickMetrics({ url }: Target): Promise<Readonly<Record<string, number>>> {
  const samples = await readMetrics(url);
  const names = ['runner_restarts_total', 'quarantined_inputs_total', 'cancelled_inputs_total', 'cache_hits_total'];
  return Object.fromEntries(names.map((name) => [name, samples.get(`embeddings_${name}`) ?? 0]));
}
