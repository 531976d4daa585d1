import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Hidden folders in which an import gathers files, one in each folder they will go to, so that a rename moves them. */
export class Staging {
  readonly #folders = new Map<string, string>();

  /** Where `path` below `home` waits. What killed imports left there goes first. */
  pathIn(home: string, path: string): string {
    let folder = this.#folders.get(home);
    if (folder === undefined) {
      mkdirSync(home, { recursive: true });
      for (const left of listStagings(home).filter(isAbandoned)) rmSync(left, { recursive: true, force: true });
      folder = mkdtempSync(join(home, `${prefix}${machine()}-${process.pid}-`));
      this.#folders.set(home, folder);
    }
    return join(folder, path);
  }

  remove(): void {
    for (const folder of this.#folders.values()) rmSync(folder, { recursive: true, force: true });
  }
}

const prefix = '.embeddings-import-';

/** The folders of imports that are running, or were killed, in a folder of models. */
export function listStagings(home: string): readonly string[] {
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(home, name));
}

/** Only what this machine left: of another, which shares the disk, nobody here knows what runs. */
function isAbandoned(folder: string): boolean {
  const [, host, pid] = /([^/]+)-(\d+)-\w+$/.exec(folder.slice(folder.lastIndexOf(prefix) + prefix.length)) ?? [];
  if (host !== machine()) return false;
  const startedMs = Date.now() - process.uptime() * 1000;
  if (Number(pid) === process.pid) return statSync(folder).birthtimeMs < startedMs; // a container has the same number each time
  return !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // another user's cannot be asked, and runs
  }
}

function machine(): string {
  return encodeURIComponent(hostname());
}
