import { constants, fstatSync, openSync } from 'node:fs';
import type { Logger } from 'pino';
import { startTimer } from '../util/start-timer.ts';

const retryMs = 500;
const heldBytes = 1_000_000; // lines that wait while nobody reads; beyond them lines are lost, not requests

/**
 * The log on stdout or stderr. Lines are written at once, so that none is lost on exit, but never waited for: a full
 * disk, a pipe that nobody reads or a reader that is gone costs lines, which are counted, and nothing else.
 */
export async function createLogger({ level, to }: { level: string; to: 'stdout' | 'stderr' }): Promise<Logger> {
  const { pino, destination } = await import('pino');
  const { descriptor, keep } = withoutWaiting(to === 'stdout' ? 1 : 2);
  const output = destination({
    dest: descriptor,
    sync: true,
    maxLength: heldBytes,
    retryEAGAIN: () => false, // the next line tries again; its own way is to sleep
  });
  if (keep !== undefined) {
    const write = output.write.bind(output);
    output.write = (line) => {
      keep();
      return write(line);
    };
  }
  const logger = pino({ level }, output);
  let lost = 0;
  let isWaiting = false;
  output.on('error', () => {
    if (isWaiting) return; // what could not be written is held, and written with the next line or soon
    isWaiting = true;
    startTimer(retryMs, () => {
      isWaiting = false;
      output.write('');
    });
  });
  output.on('drop', () => lost++);
  output.on('write', () => {
    if (lost === 0) return;
    const lines = lost;
    lost = 0;
    logger.warn({ lines }, 'lines of this log were lost: they could not be written');
  });
  // Each line is written when it comes. Its own flush, which a fatal line calls, waits for a full disk without end.
  output.flushSync = () => {};
  return logger;
}

/**
 * A descriptor whose writes fail where they would have to wait. A pipe is opened once more, since not to wait is a
 * property that other programs at the same end of it would share; a socket, such as that of systemd, cannot be.
 */
function withoutWaiting(standard: 1 | 2): { readonly descriptor: number; readonly keep?: () => void } {
  try {
    const stat = fstatSync(standard);
    if (stat.isFIFO())
      return { descriptor: openSync(`/proc/self/fd/${standard}`, constants.O_WRONLY | constants.O_NONBLOCK) };
    const handle = stat.isSocket() ? handleOf(standard === 1 ? process.stdout : process.stderr) : undefined;
    // Each start of a process that inherits it makes it wait again.
    if (handle !== undefined) return { descriptor: standard, keep: () => void handle.setBlocking(false) };
  } catch {
    // No /proc, or a pipe of another user: then a reader that stands still is waited for.
  }
  return { descriptor: standard };
}

interface Handle {
  setBlocking(isBlocking: boolean): number;
}

/** Node makes its streams of pipes and sockets wait, and offers no other way to undo that. */
function handleOf(stream: NodeJS.WriteStream): Handle | undefined {
  const { _handle: handle } = stream as { _handle?: Partial<Handle> };
  return typeof handle?.setBlocking === 'function' ? (handle as Handle) : undefined;
}
