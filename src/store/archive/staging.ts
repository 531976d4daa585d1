import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Hidden folders in which an import gathers files, one in each folder they will go to, so that a rename moves them. */
export class Staging {
  readonly #folders = new Map<string, string>();

  /** Where `path` below `home` waits. */
  pathIn(home: string, path: string): string {
    let folder = this.#folders.get(home);
    if (folder === undefined) {
      mkdirSync(home, { recursive: true });
      folder = mkdtempSync(join(home, '.embeddings-import-'));
      this.#folders.set(home, folder);
    }
    return join(folder, path);
  }

  remove(): void {
    for (const folder of this.#folders.values()) rmSync(folder, { recursive: true, force: true });
  }
}
