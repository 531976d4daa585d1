import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { pickIndex } from './random.ts';
import type { Tally } from './tally.ts';
import { post, runnerPids, until, type Target } from './target.ts';

const run = promisify(execFile);

export interface Scene {
  readonly target: Target;
  readonly tally: Tally;
  readonly random: () => number;
}

/** Something that goes wrong, from its beginning until it is over. */
export interface Fault {
  readonly name: string;
  /** Connections may be refused or cut while it lasts. */
  readonly mayBreak?: boolean;
  /** Takes more than half a minute. */
  readonly isLong?: boolean;
  inject(scene: Scene): Promise<void>;
}

export const faults: readonly Fault[] = [
  signalling('SIGKILL'),
  signalling('SIGABRT'),
  signalling('SIGSEGV'),
  { name: 'all runners killed', inject: killAll },
  { name: 'runner stopped for a while', inject: (scene) => pause(scene, 1000 + scene.random() * 3000) },
  { name: 'runner stopped for good', isLong: true, inject: (scene) => pause(scene, 45_000) },
  { name: 'runner short of memory', inject: squeeze },
  { name: 'allowlist edited', inject: editAllowlist },
  { name: 'allowlist broken for a while', inject: breakAllowlist },
  { name: '400 idle connections', mayBreak: true, inject: (scene) => flood(scene, { count: 400, heads: '' }) },
  {
    name: 'slow headers',
    mayBreak: true,
    inject: (scene) => flood(scene, { count: 200, heads: 'GET / HTTP/1.1\r\n' }),
  },
  { name: 'huge bodies', inject: sendHugeBodies },
  { name: 'clients that leave', inject: leave },
  { name: 'log that nobody reads', inject: stallLog },
];

function signalling(signal: NodeJS.Signals): Fault {
  return {
    name: `runner ended by ${signal}`,
    inject: async (scene) => {
      const victim = await pickRunner(scene);
      if (victim !== undefined) send(victim, signal);
    },
  };
}

async function pickRunner({ target, random }: Scene): Promise<number | undefined> {
  const pids = await runnerPids(target).catch(() => []);
  return pids[pickIndex(random, pids.length)];
}

/** The process may have ended meanwhile. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone
  }
}

async function killAll({ target }: Scene): Promise<void> {
  for (const pid of await runnerPids(target).catch(() => [])) send(pid, 'SIGKILL');
}

async function pause(scene: Scene, ms: number): Promise<void> {
  const victim = await pickRunner(scene);
  if (victim === undefined) return;
  send(victim, 'SIGSTOP');
  await sleep(ms);
  send(victim, 'SIGCONT');
}

/** No new memory for one runner: what it has now is all it gets. */
async function squeeze(scene: Scene): Promise<void> {
  const victim = await pickRunner(scene);
  if (victim === undefined) return;
  try {
    const pages = Number(readFileSync(`/proc/${victim}/statm`, 'utf8').split(' ')[0]);
    await run('prlimit', ['--pid', String(victim), `--as=${pages * 4096}`]);
  } catch {
    return; // it ended meanwhile
  }
  await sleep(5000);
  send(victim, 'SIGKILL'); // where it could go on without: the next squeeze finds another
}

async function editAllowlist({ target, tally, random }: Scene): Promise<void> {
  const before = readFileSync(target.allowlist, 'utf8');
  const alias = `soak-${pickIndex(random, 1e9)}`;
  writeFileSync(target.allowlist, `${before}${target.model} alias=${alias}\n`);
  const knows = async (): Promise<boolean> => (await fetch(`${target.url}/v1/models/${alias}`)).ok;
  if (!(await until(knows, 10))) tally.problem('an alias added to the allowlist is not known 10 s later');
  writeFileSync(target.allowlist, before);
}

async function breakAllowlist({ target }: Scene): Promise<void> {
  const before = readFileSync(target.allowlist, 'utf8');
  writeFileSync(target.allowlist, '');
  await sleep(1500);
  writeFileSync(target.allowlist, `${before}no model at all {{{\n`);
  await sleep(1500);
  writeFileSync(target.allowlist, before);
}

/** Connections that say nothing, or never come to the end of their headers. */
async function flood({ target }: Scene, { count, heads }: { count: number; heads: string }): Promise<void> {
  const sockets = Array.from({ length: count }, () => open(target));
  for (let second = 0; second < 5; second++) {
    for (const socket of sockets)
      if (heads !== '' && socket.writable) socket.write(second === 0 ? heads : 'x-a: b\r\n');
    await sleep(1000);
  }
  for (const socket of sockets) socket.destroy();
}

function open({ url }: Target): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).on('error', () => {});
}

async function sendHugeBodies({ target, tally }: Scene): Promise<void> {
  const body = JSON.stringify({ model: target.model, input: 'word '.repeat(4_000_000) });
  const replies = await Promise.allSettled(
    Array.from({ length: 3 }, async () => post(target, body, AbortSignal.timeout(60_000))),
  );
  for (const reply of replies) {
    if (reply.status === 'rejected') continue; // a server may cut such a client off
    const { status } = reply.value;
    if (![400, 413, 429, 503].includes(status)) tally.problem(`a body of 20 MB: status ${status}`);
    else tally.count('huge', 'expected');
  }
}

/** They ask, and are gone before or while they are answered. */
async function leave({ target, random }: Scene): Promise<void> {
  const body = JSON.stringify({ model: target.model, input: Array.from({ length: 8 }, (_, i) => `some words ${i}`) });
  const head = `POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = open(target);
      socket.write(head + body.slice(0, pickIndex(random, 2) === 0 ? body.length : 20));
      await sleep(random() * 200);
      if (pickIndex(random, 2) === 0) socket.resetAndDestroy();
      else socket.destroy();
    }),
  );
}

async function stallLog({ target }: Scene): Promise<void> {
  const goOn = target.stallLog();
  await sleep(8000);
  goOn();
}
