import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** What the numbers of a run depend on. */
export function describeMachine(root: string): object {
  const cpuinfo = readFileSync('/proc/cpuinfo', 'utf8');
  const flags = new Set((/^(?:flags|Features)\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? '').split(' '));
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/onnxruntime-node/package.json'), 'utf8')) as {
    version: string;
  };
  return {
    time: new Date().toISOString(),
    commit: commit(root),
    cpu: cpus()[0]?.model.trim(),
    cores: cpus().length,
    arch: arch(),
    vectorUnits: ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8', 'asimd'].filter((flag) => flags.has(flag)),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    onnxruntime: version,
    loadAtStart: loadavg()[0],
  };
}

/** Waiting work beside ours; above this OpenMP programs, and with them the ratios, fall apart. */
export function isBusy(): boolean {
  return (loadavg()[0] ?? 0) > 0.5;
}

function commit(root: string): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown'; // not a git checkout
  }
}
