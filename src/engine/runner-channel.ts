import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { keptEnvironment } from '../util/kept-environment.ts';
import type { FromRunner, ToRunner } from './messages.ts';

/** A live runner process, seen from the server. */
export interface RunnerChannel {
  readonly pid: number | undefined;
  send(message: ToRunner): void;
  kill(): void;
}

export interface RunnerEvents {
  readonly message: (message: FromRunner) => void;
  /** Once, when the process is gone; `reason` says how in words. */
  readonly exit: (reason: string) => void;
}

export type OpenChannel = (events: RunnerEvents) => RunnerChannel;

/** Starts a runner process. It inherits no environment: tokens and keys stay in the server. */
export const forkRunner: OpenChannel = (events) => {
  const child = fork(fileURLToPath(new URL('runner.js', import.meta.url)), [], {
    serialization: 'advanced',
    env: {
      ...inheritedEnvironment(),
      GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', // weights in huge pages: 2 to 3 % faster
      MALLOC_ARENA_MAX: '1', // one thread allocates; 2 MB less
      UV_THREADPOOL_SIZE: '1', // it reads no files after the load
    },
    execArgv: ['--max-semi-space-size=1'], // the process allocates buffers, hardly any objects
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  let isGone = false;
  const exit = (reason: string) => {
    if (isGone) return;
    isGone = true;
    events.exit(reason);
  };
  child.on('message', (message) => events.message(message as FromRunner)); // the runner sends nothing else
  child.on('error', (error) => exit(error.message));
  child.on('exit', (code, signal) => exit(signal === null ? `exit code ${code}` : `signal ${signal}`));
  return {
    pid: child.pid,
    send: (message) => void child.send(message, () => {}), // a failed send is followed by `exit`
    kill: () => void child.kill('SIGKILL'),
  };
};

/** What the dynamic loader and the CUDA libraries need. */
function inheritedEnvironment(): Record<string, string> {
  return keptEnvironment(
    'PATH',
    'LD_LIBRARY_PATH',
    'HOME',
    'TMPDIR',
    'TZ',
    'LANG',
    'CUDA_VISIBLE_DEVICES',
    'CUDA_DEVICE_ORDER',
    'NVIDIA_VISIBLE_DEVICES',
  );
}
