import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { keptEnvironment } from '../util/kept-environment.ts';
import type { FromWriter, ToWriter } from './messages.ts';

/** A live process that makes tensors. */
export interface WriterChannel {
  send(message: ToWriter): void;
  kill(): void;
}

export interface WriterEvents {
  readonly message: (message: FromWriter) => void;
  /** Once, when the process is gone; `reason` says how in words. */
  readonly exit: (reason: string) => void;
}

export type OpenWriter = (events: WriterEvents) => WriterChannel;

/** It inherits no environment: tokens and keys stay where they are. */
export const forkWriter: OpenWriter = (events) => {
  const child = fork(fileURLToPath(new URL('writer.js', import.meta.url)), [], {
    serialization: 'advanced',
    env: keptEnvironment('PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG'),
    execArgv: ['--max-semi-space-size=1'], // it holds buffers, hardly any objects
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => events.message(message as FromWriter)); // it sends nothing else
  child.on('error', (error) => events.exit(error.message));
  child.on('exit', (code, signal) => events.exit(signal === null ? `exit code ${code}` : `signal ${signal}`));
  return {
    send: (message) => void child.send(message, () => {}), // a failed send is followed by `exit`
    kill: () => void child.kill('SIGKILL'),
  };
};
