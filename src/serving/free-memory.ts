import type { Clock } from './clock.ts';

const pauseMs = 1000;

/** Calls `collect` when models have left memory, at most once a second: several often go together. */
export function createMemoryFreer(clock: Clock, collect: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    clock.after(pauseMs, () => {
      isDue = false;
      collect();
    });
  };
}
