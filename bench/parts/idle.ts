import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../context.ts';
import type { Peer } from '../peers/peer.ts';
import { takeTurns } from '../peers/turns.ts';
import { startCpuMeter } from '../process-tree.ts';

const part = 'idle';
const settleMs = 20_000; // until what a start leaves behind is done: V8 collects its garbage some 10 s later

/** CPU time of a server that has answered once and is asked nothing more. */
export function measureIdleCpu(context: Context, peers: readonly Peer[]): Promise<void> {
  const { quick } = context;
  return takeTurns({
    context,
    part,
    peers,
    rounds: quick ? 1 : 3,
    measure: async ({ peer, server }) => {
      if (server.process === undefined) return [];
      await sleep(settleMs);
      const value = await measureIdle(server.process.pid, quick ? 5 : 20);
      const goal = peer.name.startsWith('ours') ? { goal: { kind: 'atMost', limit: 1 } as const } : {};
      return [{ name: 'idle', unit: '% of a core', value, ...goal }];
    },
  });
}

/** CPU time of a process tree over a while, in % of one core. */
export async function measureIdle(pid: number, seconds: number): Promise<number> {
  const start = performance.now();
  const cpuSeconds = startCpuMeter(pid);
  await sleep(seconds * 1000);
  return (100 * cpuSeconds()) / ((performance.now() - start) / 1000);
}
