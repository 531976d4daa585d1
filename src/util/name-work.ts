import { writeSync } from 'node:fs';

/**
 * An uncaught error that ends this process leaves one line on stderr, in the form of the server's log, with the ids of the
 * requests it worked for: what a child process says is else without a name.
 */
export function nameWork(process: NodeJS.Process, requestIds: () => readonly string[]): void {
  process.on('uncaughtExceptionMonitor', (error) => {
    const { pid } = process;
    const err = { type: error.name, message: error.message, stack: error.stack };
    const line = { level: 60, time: Date.now(), pid, requestIds: requestIds(), err, msg: 'child process fails' };
    writeSync(2, `${JSON.stringify(line)}\n`);
  });
}
