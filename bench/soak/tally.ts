import { percentile } from '../stats.ts';

/** What became of the requests of one kind. */
interface Count {
  right: number;
  /** 503 and 429, each with a time to come back. */
  refused: number;
  /** Errors that were to come. */
  expected: number;
  cancelled: number;
}

const problemsKept = 50;

/** Everything that is counted in a soak. */
export class Tally {
  readonly #counts = new Map<string, Count>();
  readonly #milliseconds: number[] = [];
  readonly #problems: string[] = [];
  readonly #start = performance.now();
  #problemCount = 0;
  wrongVectors = 0;
  hung = 0;
  checkedVectors = 0;
  retries = 0;
  retriesThatHelped = 0;

  count(kind: string, outcome: keyof Count): void {
    const count = this.#counts.get(kind) ?? { right: 0, refused: 0, expected: 0, cancelled: 0 };
    this.#counts.set(kind, count);
    count[outcome]++;
  }

  /** Of a short query that was answered. */
  took(milliseconds: number): void {
    this.#milliseconds.push(milliseconds);
  }

  problem(text: string): void {
    this.#problemCount++;
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1);
    if (this.#problems.length < problemsKept) this.#problems.push(`${seconds} s: ${text}`);
  }

  get answered(): number {
    return [...this.#counts.values()].reduce((sum, { right, expected }) => sum + right + expected, 0);
  }

  get problems(): number {
    return this.#problemCount;
  }

  summary(): object {
    const latency = this.#milliseconds;
    return {
      requests: Object.fromEntries(this.#counts),
      shortQueryMs:
        latency.length === 0
          ? undefined
          : { p50: percentile(latency, 0.5), p99: percentile(latency, 0.99), max: percentile(latency, 1) },
      checkedVectors: this.checkedVectors,
      wrongVectors: this.wrongVectors,
      hung: this.hung,
      retries: this.retries,
      retriesThatHelped: this.retriesThatHelped,
      problems: this.#problemCount,
      firstProblems: this.#problems,
    };
  }
}
