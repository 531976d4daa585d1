import { fork, type ChildProcess } from 'node:child_process';
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
  /** Once, when the process is gone; `reason` says how in words, `neverStarted` that the system gave none. */
  readonly exit: (reason: string, neverStarted?: boolean) => void;
}

export type OpenChannel = (events: RunnerEvents) => RunnerChannel;

/** Starts a runner process. It inherits no environment: tokens and keys stay in the server. */
export const forkRunner: OpenChannel = (events) => watch(startChild, events);

/** Starts a process and reports what becomes of it; one that cannot be started is reported as gone, later. */
export function watch(start: () => ChildProcess, events: RunnerEvents): RunnerChannel {
  let child: ChildProcess;
  try {
    child = start();
  } catch (error) {
    // No memory for another process, for one; a lack of file descriptors comes as an event instead.
    setImmediate(() => events.exit(error instanceof Error ? error.message : String(error), true));
    return { pid: undefined, send: () => {}, kill: () => {} };
  }
  let isGone = false;
  const exit = (reason: string, neverStarted = false) => {
    if (isGone) return;
    isGone = true;
    events.exit(reason, neverStarted);
  };
  child.on('message', (message) => events.message(message as FromRunner)); // the runner sends nothing else
  child.on('error', (error) => {
    if (child.pid === undefined) exit(error.message, true); // one that runs is followed by `exit`
  });
  child.on('exit', (code, signal) => exit(signal === null ? `exit code ${code}` : `signal ${signal}`));
  return {
    pid: child.pid,
    send: (message) => {
      if (child.connected) child.send(message, () => {}); // a failed send is followed by `exit`
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function startChild(): ChildProcess {
  return fork(fileURLToPath(new URL('runner.js', import.meta.url)), [], {
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
}

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
