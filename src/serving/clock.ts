/** Time, as far as the life of models depends on it. */
export interface Clock {
  nowMs(): number;
  /** Runs `action` once after `ms`; the answer cancels it. */
  after(ms: number, action: () => void): () => void;
}

/** Timers that do not keep a process alive. */
export const realClock: Clock = {
  nowMs: () => performance.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, Math.min(ms, longestTimerMs)).unref();
    return () => clearTimeout(timer);
  },
};

const longestTimerMs = 2 ** 31 - 1; // of setTimeout
