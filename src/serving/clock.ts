import { startTimer } from '../util/start-timer.ts';

/** Time, as far as the life of models depends on it. */
export interface Clock {
  nowMs(): number;
  /** Runs `action` once after `ms`; the answer cancels it. */
  after(ms: number, action: () => void): () => void;
}

export const realClock: Clock = { nowMs: () => performance.now(), after: startTimer };
