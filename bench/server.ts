import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from './free-port.ts';
import { embedOnce } from './http-client.ts';
import { toMessage, toReason } from './message.ts';

export interface ServerOptions {
  readonly command: string;
  /** Given the port that is free. */
  readonly args: (port: number) => readonly string[];
  readonly env?: (port: number) => Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly model: string;
  /** File that takes what the server prints. */
  readonly logFile: string;
  /** Two minutes when absent. */
  readonly startLimitSeconds?: number | undefined;
  /** Called as soon as the process is there. */
  readonly onSpawn?: ((pid: number) => void) | undefined;
}

/** A server on loopback, answering. */
export interface RunningServer {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process to the end of the first answer with a vector. */
  readonly firstAnswerSeconds: number;
  close(): Promise<void>;
}

const pollMs = 2;

/** Starts a server on a free port and asks it for one vector until it answers. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { command, args, env, cwd, model, logFile, startLimitSeconds = 120, onSpawn } = options;
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const log = openSync(logFile, 'a');
  const logStart = statSync(logFile).size;
  const start = performance.now();
  const child = spawn(command, args(port), {
    cwd,
    env: { ...process.env, ...env?.(port) },
    stdio: ['ignore', log, log],
  });
  child.on('error', () => {}); // seen below as a missing pid
  if (child.pid !== undefined) onSpawn?.(child.pid);
  try {
    await waitForAnswer({ child, url, model, limitSeconds: startLimitSeconds });
  } catch (error) {
    await stop(child);
    throw new Error(`${toMessage(error)}; ${logFile}: ${readReason(logFile, logStart)}`, { cause: error });
  }
  const firstAnswerSeconds = (performance.now() - start) / 1000;
  const reportDeath = (code: number | null, signal: string | null): void => {
    process.stderr.write(`  ${command} on ${url} ended by itself: ${signal ?? `code ${code}`}; see ${logFile}\n`);
  };
  child.once('exit', reportDeath);
  const close = (): Promise<void> => {
    child.off('exit', reportDeath);
    return stop(child);
  };
  return { url, pid: child.pid ?? 0, firstAnswerSeconds, close };
}

interface WaitOptions {
  readonly child: ChildProcess;
  readonly url: string;
  readonly model: string;
  readonly limitSeconds: number;
}

async function waitForAnswer({ child, url, model, limitSeconds }: WaitOptions): Promise<void> {
  const until = performance.now() + limitSeconds * 1000;
  let problem = 'no connection';
  while (performance.now() < until) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the server ended before it answered (${problem})`);
    }
    try {
      const { status, body } = await embedOnce({
        url,
        body: JSON.stringify({ model, input: 'first', encoding_format: 'base64' }),
      });
      if (status === 200) return;
      problem = `status ${status}: ${body.toString().slice(0, 200)}`;
    } catch {
      // Not listening yet.
    }
    await sleep(pollMs);
  }
  throw new Error(`the server gave no vector within ${limitSeconds} s (${problem})`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}

/** What a server printed from `start` on says why it failed. */
function readReason(file: string, start: number): string {
  return toReason(readFileSync(file).subarray(start).toString());
}
