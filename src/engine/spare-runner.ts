import { forkRunner, type OpenChannel, type RunnerEvents } from './runner-channel.ts';

/** A runner process started before anyone asks for one: it starts while the server loads its own code. */
export interface SpareRunner {
  /** The process already there the first time, new ones after that. */
  readonly open: OpenChannel;
  /** Ends the process if nobody took it. */
  close(): void;
}

export function startSpareRunner(fork: OpenChannel = forkRunner): SpareRunner {
  let taker: RunnerEvents | undefined;
  let isGone = false;
  const spare = fork({
    message: (message) => taker?.message(message),
    exit: (reason, neverStarted) => {
      isGone = true;
      taker?.exit(reason, neverStarted);
    },
  });
  return {
    open: (events) => {
      if (taker !== undefined || isGone) return fork(events);
      taker = events;
      return spare;
    },
    close: () => {
      if (taker === undefined) spare.kill();
    },
  };
}
