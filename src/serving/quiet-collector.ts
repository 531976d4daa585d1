import type { Clock } from './clock.ts';

const quietMs = 2000;
const worthBytes = 16e6; // less is not worth stopping the thread for 50 ms

export interface QuietCollectorOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly collect: () => void;
  /** What this process holds of memory now; it throws where the system has no file descriptor to look with. */
  readonly residentBytes: () => number;
}

/** Hears of every piece of work, to act when there has been none for a while. */
export interface QuietCollector {
  begin(): void;
  end(): void;
}

/**
 * Collects garbage after busy times: V8 keeps what a burst of requests made it take, and gives it back only when much
 * more is allocated. It waits for quiet, and acts only where memory has grown since the last time.
 */
export function createQuietCollector({ clock, collect, residentBytes }: QuietCollectorOptions): QuietCollector {
  let running = 0;
  let cancel: (() => void) | undefined;
  let restingBytes = Infinity;
  const look = (): number | undefined => {
    try {
      return residentBytes();
    } catch {
      return undefined; // memory is tidied up another time; requests go on
    }
  };
  const check = (): void => {
    cancel = undefined;
    const bytes = look();
    if (bytes === undefined || bytes - restingBytes < worthBytes) return;
    restingBytes = Infinity; // whatever stays is what the next work begins with
    collect();
  };
  return {
    begin: () => {
      if (running === 0) restingBytes = Math.min(restingBytes, look() ?? Infinity);
      running++;
      cancel?.();
      cancel = undefined;
    },
    end: () => {
      running--;
      if (running === 0) cancel = clock.after(quietMs, check);
    },
  };
}
