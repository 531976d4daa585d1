import type { Metrics } from '../metrics/metrics.ts';

/** The ready runners of one model in a gauge that several models share. */
export interface RunnerCount {
  /** Each runner counts once, however often it is said. */
  up(runner: symbol): void;
  down(runner: symbol): void;
  readonly count: number;
  close(): void;
}

export function countRunners(gauge: Metrics['runners'], model: string): RunnerCount {
  const ready = new Set<symbol>();
  let isClosed = false; // a runner may say that it is ready while it is being ended
  const down = (runner: symbol) => {
    if (ready.delete(runner)) gauge.dec({ model });
  };
  return {
    up: (runner) => {
      if (isClosed || ready.has(runner)) return;
      ready.add(runner);
      gauge.inc({ model });
    },
    down,
    get count() {
      return ready.size;
    },
    close: () => {
      isClosed = true;
      [...ready].forEach(down);
    },
  };
}
