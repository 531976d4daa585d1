import { readFileSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { startTimer } from '../util/start-timer.ts';
import { AllowlistError, parseAllowlist, type Allowlist } from './allowlist.ts';

/** The file system as far as the watcher sees it. */
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

export interface WatchOptions {
  readonly path: string;
  readonly onChange: (list: Allowlist) => void;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  readonly files?: WatchedFiles;
  readonly clock?: WatchClock;
}

const debounceMs = 50; // editors write in several steps
const pollMs = 2000; // network folders and bind mounts send no events

/** Reads the allowlist now. @throws AllowlistError naming the file and the bad lines */
export function readAllowlist(path: string, files: Pick<WatchedFiles, 'read'> = realFiles): Allowlist {
  let list: Allowlist;
  try {
    list = parseAllowlist(files.read(path));
  } catch (error) {
    if (error instanceof AllowlistError) throw new AllowlistError(error.message.replaceAll(/^/gm, `${path} `));
    throw new AllowlistError(
      `${path}: expected a readable allowlist file (EMBEDDINGS_SUPPORTED_MODELS): ${(error as Error).message}`,
    );
  }
  // Also what a half-written file looks like, so the last good list must survive it.
  if (list.entries.length === 0) throw new AllowlistError(`${path}: expected at least one model id, got none`);
  return list;
}

/** Holds the allowlist in force: follows its file, and keeps the last good list while the file is bad. */
export class AllowlistWatcher {
  readonly #path: string;
  readonly #onChange: (list: Allowlist) => void;
  readonly #log: WatchOptions['log'];
  readonly #files: WatchedFiles;
  readonly #clock: WatchClock;
  #current: Allowlist;
  #fingerprint: string;
  #cancelCheck: () => void = () => {};
  #cancelPoll: () => void = () => {};
  #watching: { close(): void } | undefined;
  #closed = false;

  /** @throws AllowlistError when the file is bad at the start */
  constructor({ path, onChange, log, files = realFiles, clock = realClock }: WatchOptions) {
    this.#path = path;
    this.#onChange = onChange;
    this.#log = log;
    this.#files = files;
    this.#clock = clock;
    this.#fingerprint = this.#look(); // before reading: a change in between is then seen by the next look
    this.#current = readAllowlist(path, files);
    this.#watchFolder();
    this.#poll();
  }

  get current(): Allowlist {
    return this.#current;
  }

  close(): void {
    this.#closed = true;
    this.#cancelCheck();
    this.#cancelPoll();
    this.#watching?.close();
  }

  /** The folder, not the file: renaming editors and swapped links replace the file, and its own watch would go silent. */
  #watchFolder(): void {
    const onFailure = (error: Error): void =>
      this.#log.info({ path: this.#path, reason: error.message }, 'allowlist is polled, watching its folder failed');
    const onEvent = (): void => {
      this.#cancelCheck();
      if (!this.#closed) this.#cancelCheck = this.#clock.after(debounceMs, () => this.#check());
    };
    try {
      this.#watching = this.#files.watch(dirname(this.#path), onEvent, onFailure);
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
    let list: Allowlist;
    try {
      list = readAllowlist(this.#path, this.#files);
    } catch (error) {
      this.#log.error(
        { path: this.#path, reason: (error as Error).message },
        'allowlist is bad, the last good one stays',
      );
      return;
    }
    if (JSON.stringify(list) === JSON.stringify(this.#current)) return;
    this.#current = list;
    this.#log.info({ path: this.#path, models: list.entries.length }, 'allowlist changed');
    this.#onChange(list);
  }

  #look(): string {
    try {
      return this.#files.fingerprint(this.#path);
    } catch {
      return 'missing'; // reading it reports why
    }
  }
}

const realFiles: WatchedFiles = {
  read: (path) => readFileSync(path, 'utf8'),
  fingerprint: (path) => {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [dev, ino, size, mtimeMs, ctimeMs].join(':');
  },
  watch: (folder, onEvent, onFailure) => watch(folder, { persistent: false }, onEvent).on('error', onFailure),
};

const realClock: WatchClock = { after: startTimer };
