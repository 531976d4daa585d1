import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** The service in a process of its own, as a user starts it. */
export interface ServedProcess {
  readonly url: URL;
  /** What it has logged as an error. */
  readonly errors: readonly string[];
  isAlive(): boolean;
  residentBytes(): number;
  stop(): Promise<void>;
}

export async function startServed(cli: string, flags: readonly string[], cwd: string): Promise<ServedProcess> {
  const child: ChildProcess = spawn(process.execPath, [cli, 'serve', '--port', '0', ...flags], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, HF_HUB_OFFLINE: '1', MALLOC_MMAP_THRESHOLD_: '131072' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const errors: string[] = [];
  const url = await new Promise<URL>((resolve, reject) => {
    child.on('exit', (code, signal) => reject(new Error(`The server ended at its start: ${signal ?? code}`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      // it is piped
      const { level, url: said } = JSON.parse(line) as { level: number | string; url?: string };
      if (said !== undefined) resolve(new URL(said));
      if (['error', 'fatal', 50, 60].includes(level)) errors.push(line);
    });
  });
  return {
    url,
    errors,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    residentBytes: () => {
      const status = readFileSync(`/proc/${child.pid}/status`, 'latin1');
      return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1024;
    },
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve();
        child.on('exit', () => resolve()).kill('SIGKILL');
      }),
  };
}
