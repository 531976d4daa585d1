import type { Clock } from './clock.ts';

export interface FreeMemoryOptions {
  readonly clock: Clock;
  /** Whether somebody would wait for it. */
  readonly isBusy: () => boolean;
  readonly collect: () => void;
}

const quietMs = 1000; // several models often go together

/** Calls `collect` once when models have left memory, as soon as nobody waits for anything. */
export function createMemoryFreer({ clock, isBusy, collect }: FreeMemoryOptions): () => void {
  let cancel = () => {};
  const freeSoon = () => {
    cancel();
    cancel = clock.after(quietMs, () => (isBusy() ? freeSoon() : collect()));
  };
  return freeSoon;
}
