/** One run of something that several wait for; it stops when the last of them has left. */
export class SharedWork<Result, Progress> {
  readonly #done: Promise<Result>;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(progress: Progress) => void>();
  #last: Progress | undefined;

  constructor(run: (signal: AbortSignal, report: (progress: Progress) => void) => Promise<Result>) {
    this.#done = run(this.#stop.signal, (progress) => {
      this.#last = progress;
      for (const listener of this.#listeners) listener(progress);
    });
    this.#done.catch(() => {}); // whoever waits gets it; after the last has left nobody does
  }

  get isAbandoned(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Settles when the work ends, however it ends. */
  async settled(): Promise<void> {
    await this.#done.then(
      () => {},
      () => {},
    );
  }

  /** @throws what the work throws, or the reason of the signal */
  async join(onProgress: (progress: Progress) => void, signal: AbortSignal | undefined): Promise<Result> {
    signal?.throwIfAborted();
    const listener = (progress: Progress): void => onProgress(progress); // of its own, should two be the same function
    this.#listeners.add(listener);
    if (this.#last !== undefined) listener(this.#last);
    let leave = (): void => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(signal?.reason as Error); // as `throwIfAborted` would throw it
    });
    signal?.addEventListener('abort', leave);
    try {
      return await Promise.race([this.#done, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop.abort();
    }
  }
}
