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
  const output = destination({
    dest: withoutWaiting(to === 'stdout' ? 1 : 2),
    sync: true,
    maxLength: heldBytes,
    retryEAGAIN: () => false, // the next line tries again; its own way is to sleep
  });
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

/** A pipe is opened once more: not to wait is a property that other programs at the same end of it would share. */
function withoutWaiting(descriptor: number): number {
  try {
    if (!fstatSync(descriptor).isFIFO()) return descriptor;
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return descriptor; // no /proc, or a pipe of another user
  }
}
