import { getPriority, setPriority } from 'node:os';

const system = { getPriority, setPriority };

/**
 * Lets other processes go first. A process that was already started with less priority keeps it: only root may take
 * some back, and where the system forbids the call altogether, running at the old priority is better than not running.
 */
export function lowerPriority(niceness: number, { getPriority: get, setPriority: set } = system): void {
  try {
    if (get() < niceness) set(niceness);
  } catch {
    // forbidden, as by a filter of system calls
  }
}
