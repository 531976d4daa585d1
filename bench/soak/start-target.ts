import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until, type Target } from './target.ts';

export interface StartOptions {
  /** The repository. */
  readonly root: string;
  /** For the allowlist. */
  readonly scratch: string;
  readonly model: string;
  readonly runners: number;
  readonly variables?: Readonly<Record<string, string>>;
}

export interface StartedTarget extends Target {
  /** Lines of the log at level error and above, and what came on stderr. */
  readonly faultLines: readonly string[];
  /** SIGTERM; gives the exit code, or -1 when it had to be killed. */
  stop(): Promise<number>;
}

const startSeconds = 60;
const stopSeconds = 60;
const linesKept = 200;

/** The built server as a process of its own, with a log that may be left unread. */
export async function startTarget({
  root,
  scratch,
  model,
  runners,
  variables = {},
}: StartOptions): Promise<StartedTarget> {
  mkdirSync(scratch, { recursive: true });
  const allowlist = join(scratch, 'soak-models.txt');
  writeFileSync(allowlist, `${model}\n`);
  const flags = ['--host', '127.0.0.1', '--port', '0', '--replicas', String(runners), '--threads', '1'];
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), 'serve', ...flags], {
    cwd: scratch,
    env: {
      PATH: process.env['PATH'],
      HF_HUB_CACHE: join(scratch, 'no-such-cache'),
      EMBEDDINGS_SUPPORTED_MODELS: allowlist,
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const faultLines: string[] = [];
  let url = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    url ||= /"url":"([^"]+)"/.exec(line)?.[1] ?? '';
    if (/"level":[56]0/.test(line) && faultLines.length < linesKept) faultLines.push(line);
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (faultLines.length < linesKept) faultLines.push(line);
  });
  const isReady = async (): Promise<boolean> => url !== '' && (await fetch(`${url}/readyz`)).ok;
  if (!(await until(isReady, startSeconds))) {
    child.kill('SIGKILL');
    throw new Error(`the server was not ready within ${startSeconds} s: ${faultLines.join('\n')}`);
  }
  return {
    url,
    pid: child.pid ?? -1,
    model,
    allowlist,
    faultLines,
    stallLog: () => {
      child.stdout.pause();
      return () => void child.stdout.resume();
    },
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopSeconds * 1000);
      const [code] = await ended;
      clearTimeout(timer);
      return code ?? -1;
    },
  };
}
