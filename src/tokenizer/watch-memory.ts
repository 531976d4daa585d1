import { readFileSync } from 'node:fs';

const intervalMs = 250;
const pageBytes = 4096;

/** Calls `onExceeded` once when a process holds more memory; where the system does not say how much, never. */
export function watchMemory(pid: number | undefined, maxBytes: number, onExceeded: () => void): () => void {
  const timer = setInterval(() => {
    if ((readResidentBytes(pid) ?? 0) <= maxBytes) return;
    clearInterval(timer);
    onExceeded();
  }, intervalMs).unref();
  return () => clearInterval(timer);
}

function readResidentBytes(pid: number | undefined): number | undefined {
  try {
    const [, resident] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return Number(resident) * pageBytes;
  } catch {
    return undefined; // gone, or not Linux
  }
}
