import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Trial, Verdict } from './try-model.ts';

const maxTrialMs = 10_000;
const maxRunMs = 30_000; // with a runner
const maxGrowthBytes = 300e6;
const settledAfter = 40; // trials after which a process has loaded all of its code

/** A process in which folders are tried one after another; another takes its place when it ends. */
export class TrialProcess {
  #child: ChildProcess | undefined;
  #done = 0;
  #baseBytes = 0;

  async run(trial: Trial): Promise<Verdict> {
    const child = (this.#child ??= this.#start());
    const limitMs = trial.runs ? maxRunMs : maxTrialMs;
    const bad = (what: string): Verdict => ({
      id: trial.id,
      outcome: what,
      message: '',
      problems: [what],
      peakBytes: 0,
    });
    const verdict = await new Promise<Verdict>((resolve) => {
      const timer = setTimeout(() => settle(bad(`took more than ${limitMs / 1000} s`)), limitMs);
      const onExit = (code: number | null, signal: string | null) =>
        settle(bad(`the process ended: ${signal ?? code}`));
      const settle = (verdict: Verdict): void => {
        clearTimeout(timer);
        child.off('exit', onExit).off('message', settle);
        resolve(verdict);
      };
      child.on('exit', onExit).on('message', settle);
      child.send(trial);
    });
    if (verdict.peakBytes === 0) this.stop();
    return this.#withGrowth(verdict);
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    this.#done = 0;
  }

  /** The peak of a process only rises: what raised it much is a finding, and the next trial begins anew. */
  #withGrowth(verdict: Verdict): Verdict {
    if (verdict.peakBytes === 0) return verdict;
    const growth = verdict.peakBytes - this.#baseBytes;
    if (++this.#done <= settledAfter || growth <= maxGrowthBytes) {
      if (this.#done <= settledAfter) this.#baseBytes = verdict.peakBytes;
      return verdict;
    }
    this.stop();
    return { ...verdict, problems: [...verdict.problems, `memory grew by ${Math.round(growth / 1e6)} MB`] };
  }

  #start(): ChildProcess {
    return fork(fileURLToPath(new URL('try-model.js', import.meta.url)), [], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: ['--max-old-space-size=1500'],
    }).on('error', () => {});
  }
}
