import { modelNotFound, shuttingDown } from '../errors.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { DownloadProgress } from '../store/hub/download-progress.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import type { Clock } from './clock.ts';

export interface FetchOptions {
  readonly onProgress: (progress: DownloadProgress) => void;
  readonly signal: AbortSignal;
  /** Of the request that asked first, if one did. */
  readonly requestId?: string | undefined;
}

export interface ModelFilesOptions {
  readonly locate: (entry: AllowlistEntry) => LocatedModel | undefined;
  /** Downloads what is missing. @throws ServiceError */
  readonly fetch: (entry: AllowlistEntry, options: FetchOptions) => Promise<LocatedModel>;
  readonly clock: Clock;
  readonly observer?: DownloadObserver;
}

/** Hears of downloads; `name` is that of the entry which asked first. */
export interface DownloadObserver {
  onProgress?(name: string, progress: DownloadProgress): void;
  onEnd?(name: string, outcome: 'done' | 'failed'): void;
}

/** A download on its way. */
export interface Download {
  readonly doneBytes: number;
  /** Unknown until the hub has listed the files. */
  readonly totalBytes: number | undefined;
  /** Of those bytes that came since it began; undefined before the first. */
  readonly bytesPerSecond: number | undefined;
}

interface Running {
  readonly name: string;
  readonly located: Promise<LocatedModel>;
  readonly abort: AbortController;
  readonly startMs: number;
  first?: DownloadProgress;
  last?: DownloadProgress;
}

/** The files of the allowed models: on this machine, or on their way to it. */
export class ModelFiles {
  readonly #options: ModelFilesOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: ModelFilesOptions) {
    this.#options = options;
  }

  /** The folder of a model; downloads it where it is not here, once however many ask. @throws ServiceError */
  async obtain(entry: AllowlistEntry, requestId?: string): Promise<LocatedModel> {
    const key = keyOf(entry);
    const running = this.#running.get(key);
    if (running !== undefined) return running.located;
    const located = this.#options.locate(entry);
    return located ?? this.#download(entry, key, requestId);
  }

  downloadOf(entry: AllowlistEntry): Download | undefined {
    const running = this.#running.get(keyOf(entry));
    if (running === undefined) return undefined;
    const { last, startMs } = running;
    if (last === undefined) return { doneBytes: 0, totalBytes: undefined, bytesPerSecond: undefined };
    const { first = last } = running;
    const seconds = (this.#options.clock.nowMs() - startMs) / 1000;
    const bytes = last.doneBytes - first.doneBytes;
    const { doneBytes, totalBytes } = last;
    return { doneBytes, totalBytes, bytesPerSecond: bytes > 0 && seconds > 0 ? bytes / seconds : undefined };
  }

  /** Stops downloads of models that are not among these. */
  retain(entries: readonly AllowlistEntry[]): void {
    const wanted = new Set(entries.map(keyOf));
    for (const [key, { abort, name }] of this.#running) if (!wanted.has(key)) abort.abort(modelNotFound(name));
  }

  close(): void {
    for (const { abort } of this.#running.values()) abort.abort(shuttingDown());
  }

  #download(entry: AllowlistEntry, key: string, requestId?: string): Promise<LocatedModel> {
    const { fetch, clock, observer } = this.#options;
    const abort = new AbortController();
    const onProgress = (progress: DownloadProgress) => {
      running.first ??= progress;
      running.last = progress;
      observer?.onProgress?.(entry.name, progress);
    };
    const run = async () => {
      try {
        const located = await fetch(entry, { onProgress, signal: abort.signal, requestId });
        observer?.onEnd?.(entry.name, 'done');
        return located;
      } catch (error) {
        observer?.onEnd?.(entry.name, 'failed');
        throw error;
      } finally {
        this.#running.delete(key);
      }
    };
    const running: Running = { name: entry.name, abort, startMs: clock.nowMs(), located: Promise.resolve().then(run) };
    this.#running.set(key, running);
    return running.located;
  }
}

/** Entries that differ in nothing but this have the same files. */
function keyOf({ repository, revision }: AllowlistEntry): string {
  return JSON.stringify([repository, revision]);
}
