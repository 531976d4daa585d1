import { readFileSync } from 'node:fs';
import { parseKb, readTreeMemory } from '../process-tree.ts';
import { median } from '../stats.ts';
import { slopePerHour, type Sample } from './slope.ts';

interface Moment {
  readonly seconds: number;
  /** Of the server and all its runners. */
  readonly allMb: number;
  readonly serverMb: number;
}

export interface MemoryReport {
  readonly samples: number;
  readonly firstMb: number;
  readonly medianMb: number;
  readonly highestMb: number;
  readonly lastMb: number;
  /** After the settling time; NaN where nothing came after it. */
  readonly slopeMbPerHour: number;
  readonly serverSlopeMbPerHour: number;
}

/** Proportional set size (PSS) of the processes below `pid`, read every few seconds. */
export class MemoryWatch {
  readonly #pid: number;
  readonly #start = performance.now();
  readonly #moments: Moment[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number, everySeconds = 10) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#look(), everySeconds * 1000);
    this.#look();
  }

  stop(settlingSeconds: number): MemoryReport {
    clearInterval(this.#timer);
    this.#look();
    const all = this.#moments.map(({ allMb }) => allMb);
    const settled = this.#moments.filter(({ seconds }) => seconds >= settlingSeconds);
    const slopeOf = (value: (moment: Moment) => number): number =>
      slopePerHour(settled.map((moment): Sample => ({ seconds: moment.seconds, value: value(moment) })));
    return {
      samples: all.length,
      firstMb: all[0] ?? Number.NaN,
      medianMb: median(all),
      highestMb: Math.max(...all),
      lastMb: all.at(-1) ?? Number.NaN,
      slopeMbPerHour: slopeOf(({ allMb }) => allMb),
      serverSlopeMbPerHour: slopeOf(({ serverMb }) => serverMb),
    };
  }

  #look(): void {
    try {
      const seconds = (performance.now() - this.#start) / 1000;
      const serverMb = parseKb(readFileSync(`/proc/${this.#pid}/smaps_rollup`, 'utf8'), 'Pss') / 1024;
      this.#moments.push({ seconds, allMb: readTreeMemory(this.#pid).pssMb, serverMb });
    } catch {
      // The server has ended, which others report.
    }
  }
}
