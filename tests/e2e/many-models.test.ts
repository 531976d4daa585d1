import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { goldensFolder, loadGoldens, maxAbsDifference } from '../parity/goldens.ts';
import { ask, startService, until } from './service.ts';

const families = ['bert', 'modernbert', 'qwen3', 'gemma3', 't5', 'nomic-bert', 'deberta', 'jina-bert'];
const budgetBytes = 170e6; // three of these models fit: their runners take some 50 MB each
const folder = mkdtempSync(join(tmpdir(), 'many-models-'));
const list = join(folder, 'supported_models.txt');
writeFileSync(list, families.map((family) => `tiny/${family}\n`).join(''));
const settings = {
  'supported-models': list,
  'models-dir': join(goldensFolder, 'models'),
  replicas: '1',
  threads: '1',
  'max-loaded-models': '8',
  'max-model-memory': String(budgetBytes),
  'keep-alive': '2s',
  preload: 'none',
};
const service = await startService(...Object.entries(settings).map(([name, value]) => `--${name}=${value}`));
afterAll(async () => {
  service.kill('SIGTERM');
  await service.ended;
  rmSync(folder, { recursive: true });
});

test('eight models, room for three, 64 clients: right vectors or 503, memory within its limit, no load twice', async () => {
  const startBytes = residentBytes(service.pid);
  const tally = { right: 0, wrong: 0, later: 0, other: 0 };
  let mostBytes = 0;
  let isDone = false;
  const watching = (async () => {
    while (!isDone) {
      mostBytes = Math.max(mostBytes, proportionalBytes(childrenOf(service.pid)));
      await sleep(20);
    }
  })();
  const goldens = new Map(families.map((family) => [family, loadGoldens(`tiny-${family}`)]));
  const client = async (number: number) => {
    for (let turn = 0; turn < 4; turn++) {
      const family = families[(number * 5 + turn * 3) % families.length]!;
      const cases = goldens.get(family)!;
      const golden = cases[(number + turn) % cases.length]!;
      const { status, retryAfter, body } = await ask(service.url, `tiny/${family}`, [golden.ids]);
      const vector = body.data?.[0]?.embedding;
      if (status === 503 && Number(retryAfter) >= 1) tally.later++;
      else if (vector === undefined) tally.other++;
      else if (maxAbsDifference(Float32Array.from(vector), golden.vector) <= 2e-5) tally.right++;
      else tally.wrong++;
    }
  };
  await Promise.all(Array.from({ length: 64 }, (_, number) => client(number)));
  isDone = true;
  await watching;
  expect(tally).toMatchObject({ wrong: 0, other: 0 });
  expect(tally.right).toBeGreaterThan(200);
  expect(mostBytes).toBeGreaterThan(50e6); // or nothing was measured
  expect(mostBytes).toBeLessThanOrEqual(budgetBytes);
  expect(overlappingLoads()).toEqual([]);
  await until('every model is unloaded', () => childrenOf(service.pid).length === 0);
  await until('its memory is back', () => residentBytes(service.pid) <= startBytes + 30e6);
}, 120_000);

/** Models that were loaded while they were loaded already. */
function overlappingLoads(): readonly string[] {
  const held = new Set<string>();
  const twice: string[] = [];
  for (const line of service.log) {
    const { msg } = JSON.parse(line) as { msg: string };
    const [, loading] = /^loading (\S+) from/.exec(msg) ?? [];
    const [, unloaded] = /^(\S+) is unloaded/.exec(msg) ?? [];
    if (loading !== undefined && held.has(loading)) twice.push(loading);
    if (loading !== undefined) held.add(loading);
    if (unloaded !== undefined) held.delete(unloaded);
  }
  return twice;
}

function childrenOf(pid: number): readonly number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) => {
    const pids = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    return pids === '' ? [] : pids.split(' ').map(Number);
  });
}

function residentBytes(pid: number): number {
  return memoryOf(pid, 'Rss');
}

/** Pages that several processes share count in parts. */
function proportionalBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + memoryOf(pid, 'Pss'), 0);
}

function memoryOf(pid: number, kind: 'Rss' | 'Pss'): number {
  try {
    const [, kilobytes] =
      new RegExp(`^${kind}: +(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  } catch (error) {
    if (/^(ENOENT|ESRCH)$/.test((error as NodeJS.ErrnoException).code ?? '')) return 0; // it has just ended
    throw error;
  }
}
