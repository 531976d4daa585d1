import { readFileSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { startTimer } from './start-timer.ts';

/** The file system as far as following files needs it. */
export interface WatchedFiles {
  read(path: string): string;
  /** Changes whenever the file does; follows links. */
  fingerprint(path: string): string;
  /** Calls back on any change in the folder; throws or calls `onFailure` where watching does not work. */
  watch(folder: string, onEvent: () => void, onFailure: (error: Error) => void): { close(): void };
}

export interface WatchClock {
  /** Runs `task` once after `ms`; the answer cancels it. */
  after(ms: number, task: () => void): () => void;
}

export interface WatchLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface FollowOptions<T> {
  /** What the files are, for the log: `allowlist`. */
  readonly what: string;
  /** One file, or several that make one value. */
  readonly paths: readonly string[];
  /** Makes the value of the files as they are now. @throws Error that says which of them is bad and why */
  readonly read: (files: Pick<WatchedFiles, 'read'>) => T;
  /** Told of each new value that differs from the one before. */
  readonly onChange: (value: T) => void;
  readonly log: WatchLog;
  readonly files?: WatchedFiles | undefined;
  readonly clock?: WatchClock | undefined;
}

const debounceMs = 50; // editors write in several steps
const pollMs = 2000; // network folders and bind mounts send no events

/** A value made of files, always as they are now; the last good one while they are bad. */
export class FollowedFiles<T> {
  readonly #options: FollowOptions<T>;
  readonly #files: WatchedFiles;
  readonly #clock: WatchClock;
  readonly #watching: { close(): void }[] = [];
  #current: T;
  #fingerprint: string;
  #cancelCheck: () => void = () => {};
  #cancelPoll: () => void = () => {};
  #closed = false;

  /** @throws what `read` throws, when the files are bad at the start */
  constructor(options: FollowOptions<T>) {
    this.#options = options;
    this.#files = options.files ?? realFiles;
    this.#clock = options.clock ?? realClock;
    this.#fingerprint = this.#look(); // before reading: a change in between is then seen by the next look
    this.#current = options.read(this.#files);
    for (const folder of new Set(options.paths.map((path) => dirname(path)))) this.#watchFolder(folder);
    this.#poll();
  }

  get current(): T {
    return this.#current;
  }

  close(): void {
    this.#closed = true;
    this.#cancelCheck();
    this.#cancelPoll();
    for (const watching of this.#watching) watching.close();
  }

  /** The folder, not the file: renaming editors and swapped links replace the file, and its own watch would go silent. */
  #watchFolder(folder: string): void {
    const { what, log } = this.#options;
    const onFailure = (error: Error): void =>
      log.info({ path: this.#where, reason: error.message }, `${what} is polled, watching its folder failed`);
    const onEvent = (): void => {
      this.#cancelCheck();
      if (!this.#closed) this.#cancelCheck = this.#clock.after(debounceMs, () => this.#check());
    };
    try {
      this.#watching.push(this.#files.watch(folder, onEvent, onFailure));
    } catch (error) {
      onFailure(error as Error);
    }
  }

  #poll(): void {
    this.#cancelPoll = this.#clock.after(pollMs, () => {
      this.#check();
      if (!this.#closed) this.#poll();
    });
  }

  #check(): void {
    const fingerprint = this.#look();
    if (this.#closed || fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    const { what, read, onChange, log } = this.#options;
    let value: T;
    try {
      value = read(this.#files);
    } catch (error) {
      log.error({ path: this.#where, reason: (error as Error).message }, `${what} is bad, the last good one stays`);
      return;
    }
    if (isDeepStrictEqual(value, this.#current)) return;
    this.#current = value;
    onChange(value);
  }

  get #where(): string {
    return this.#options.paths.join(', ');
  }

  #look(): string {
    return this.#options.paths.map((path) => this.#lookAt(path)).join();
  }

  #lookAt(path: string): string {
    try {
      return this.#files.fingerprint(path);
    } catch {
      return 'missing'; // reading it reports why
    }
  }
}

export const realFiles: WatchedFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  fingerprint: (path) => {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [dev, ino, size, mtimeMs, ctimeMs].join(':');
  },
  watch: (folder, onEvent, onFailure) => watch(folder, { persistent: false }, onEvent).on('error', onFailure),
};

const realClock: WatchClock = { after: startTimer };
