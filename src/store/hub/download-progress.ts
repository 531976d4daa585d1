import type { HubFile } from './hub-file.ts';

/** How far a download is. */
export interface DownloadProgress {
  /** On disk, from earlier downloads too. */
  readonly doneBytes: number;
  /** Of every file that the model needs. */
  readonly totalBytes: number;
  /** Another process fetches what we need, Python's or ours; its bytes count when it is done. */
  readonly isWaiting?: true;
}

/** Adds up the files of one download. */
export class ProgressCounter {
  readonly #totalBytes: number;
  readonly #doneBytes: Map<string, number>;
  readonly #waiting = new Set<string>();
  readonly #report: (progress: DownloadProgress) => void;

  /** `onDisk`: bytes that are there before it starts, by ETag. */
  constructor(
    files: readonly HubFile[],
    onDisk: ReadonlyMap<string, number>,
    report: (progress: DownloadProgress) => void,
  ) {
    this.#totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#doneBytes = new Map(onDisk);
    this.#report = report;
    this.#tell();
  }

  /** Of the file it is known how far it is, which ends its waiting. */
  set(etag: string, sizeBytes: number): void {
    const hasWaited = this.#waiting.delete(etag);
    if (!hasWaited && this.#doneBytes.get(etag) === sizeBytes) return;
    this.#doneBytes.set(etag, sizeBytes);
    this.#tell();
  }

  wait(etag: string): void {
    this.#waiting.add(etag);
    this.#tell();
  }

  #tell(): void {
    const doneBytes = [...this.#doneBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#report({ doneBytes, totalBytes: this.#totalBytes, ...(this.#waiting.size > 0 ? { isWaiting: true } : {}) });
  }
}
