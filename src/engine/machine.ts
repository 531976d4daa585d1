import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Machine } from './resources.ts';

/** What this process may use: a container's limits count, not the host's cores and memory. */
export function readMachine(): Machine {
  const limit = process.constrainedMemory(); // 0, or far above the memory there is, where no limit is set
  const memoryBytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { cores: Math.min(availableParallelism(), coresOfQuota(readQuota())), memoryBytes };
}

/** Cores of a cgroup's `cpu.max`, such as `150000 100000` or `max 100000`; a started core counts whole. */
export function coresOfQuota(cpuMax: string): number {
  const [quota, period] = cpuMax.trim().split(/\s+/).map(Number);
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return Infinity;
  return Math.ceil(quota / period);
}

function readQuota(): string {
  try {
    return readFileSync('/sys/fs/cgroup/cpu.max', 'utf8');
  } catch {
    return 'max 100000'; // no cgroup v2: no quota known
  }
}
