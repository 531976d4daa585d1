import { readFileSync, readdirSync } from 'node:fs';

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

const ticksPerSecond = 100; // USER_HZ of /proc, the same on every Linux

/** Starts to count the CPU seconds of a process and all below it; the function returned gives the seconds since. */
export function startCpuMeter(root: number): () => number {
  const before = new Map(readTree(root).map((process) => [process.pid, process.cpuSeconds]));
  return () => {
    const now = readTree(root);
    const alive = new Set(now.map((process) => process.pid));
    const gone = [...before.keys()].filter((pid) => !alive.has(pid));
    // The time of a process that ended would be missing from the sum.
    if (gone.length > 0) throw new Error(`Process ${gone.join(', ')} ended while it was measured.`);
    return now.reduce((sum, process) => sum + process.cpuSeconds - (before.get(process.pid) ?? 0), 0);
  };
}

export interface TreeMemory {
  readonly processes: number;
  /** Pages shared by several processes count in each of them. */
  readonly rssMb: number;
  /** Pages shared by n processes count 1/n in each: the real use. */
  readonly pssMb: number;
  /** The part of it that is no file's, so that the system cannot drop it. */
  readonly anonMb: number;
}

/** Memory of a process and all below it; those that end meanwhile take none. */
export function readTreeMemory(root: number): TreeMemory {
  const rollups = readTree(root).flatMap(({ pid }) => readRollup(pid) ?? []);
  const total = (field: string): number => rollups.reduce((sum, rollup) => sum + parseKb(rollup, field), 0) / 1024;
  return { processes: rollups.length, rssMb: total('Rss'), pssMb: total('Pss'), anonMb: total('Pss_Anon') };
}

function readRollup(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  } catch {
    return undefined;
  }
}

function readTree(root: number): ProcessStat[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(readStat)
    .filter((stat) => stat !== undefined);
  const tree = all.filter((stat) => stat.pid === root);
  if (tree.length === 0) throw new Error(`Process ${root} is not running.`);
  for (const parent of tree) tree.push(...all.filter((stat) => stat.parent === parent.pid)); // grows while it is walked
  return tree;
}

function readStat(pid: string): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined; // ended between the listing and the read
  }
}

/** One line of /proc/PID/stat. The name in parentheses may itself hold spaces and parentheses. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [parent, userTicks, systemTicks] = [fields[1], fields[11], fields[12]].map(Number);
  const pid = Number.parseInt(line, 10);
  if (![pid, parent, userTicks, systemTicks].every(Number.isInteger)) throw new Error(`Not a /proc stat line: ${line}`);
  return { pid, parent: parent ?? 0, cpuSeconds: ((userTicks ?? 0) + (systemTicks ?? 0)) / ticksPerSecond };
}

/** One field of smaps_rollup, in KiB. */
export function parseKb(text: string, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text);
  if (found === null) throw new Error(`Expected a line "${field}: N kB".`);
  return Number(found[1]);
}

/** Watches the memory of a process and all below it until the function returned is called, which gives the most in MB. */
export function watchTreeMemory(root: number, everyMs = 500): () => number {
  let mostMb = 0;
  const look = (): void => {
    mostMb = Math.max(mostMb, readTreeMemory(root).pssMb);
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    look();
    return mostMb;
  };
}

/** A process that is dead but not yet reaped does not run. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch {
    return false;
  }
}
