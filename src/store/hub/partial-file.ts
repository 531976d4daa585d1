import { type FileHandle, open } from 'node:fs/promises';
import type { DownloadSystem } from './download-system.ts';

/** The bytes of a file that have arrived, which a later process goes on with. */
export class PartialFile {
  readonly #handle: FileHandle;
  readonly #write: DownloadSystem['write'];
  #sizeBytes: number;

  private constructor(handle: FileHandle, sizeBytes: number, write: DownloadSystem['write']) {
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
    this.#write = write;
  }

  /** Makes it where it is not there. */
  static async open(path: string, write: DownloadSystem['write']): Promise<PartialFile> {
    const handle = await open(path, 'a').then(async (made) => {
      await made.close();
      return open(path, 'r+'); // a file opened to append ignores positions
    });
    return new PartialFile(handle, (await handle.stat()).size, write);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#write(this.#handle, bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.length;
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#sizeBytes = 0;
  }

  /** Returns when the disk has it all. */
  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
