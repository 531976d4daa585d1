import type { Clock } from './clock.ts';

export interface Patience {
  /** Without end when Infinity. */
  readonly waitMs: number;
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  /** The error of whom it takes too long. */
  readonly onLate: () => Error;
}

/** What `promise` gives, unless it takes too long or whoever waits has left. The work behind it goes on. */
export async function withinMs<T>(promise: Promise<T>, { waitMs, signal, clock, onLate }: Patience): Promise<T> {
  let cancelTimer = () => {};
  let onAbort = () => {};
  const late = new Promise<never>((_, reject) => {
    if (waitMs !== Infinity) cancelTimer = clock.after(waitMs, () => reject(onLate()));
    onAbort = () => reject(signal?.reason instanceof Error ? signal.reason : new Error('The caller has left.'));
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
  });
  try {
    return await Promise.race([late, promise]);
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', onAbort);
  }
}
