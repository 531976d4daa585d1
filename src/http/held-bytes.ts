/** Bytes of the bodies of all requests in progress, held to a sum. */
export class HeldBytes {
  readonly max: number;
  readonly #onChange: (held: number) => void;
  #held = 0;

  constructor(max: number, onChange: (held: number) => void = () => {}) {
    this.max = max;
    this.#onChange = onChange;
  }

  get held(): number {
    return this.#held;
  }

  /** A body of one request; give it back with `release`. */
  open(): Hold {
    let own = 0;
    return {
      add: (bytes) => {
        // A body that is alone may be larger than the sum, or it could never be read.
        if (this.#held > own && this.#held + bytes > this.max) return false;
        own += bytes;
        this.#held += bytes;
        this.#onChange(this.#held);
        return true;
      },
      release: () => {
        if (own === 0) return;
        this.#held -= own;
        own = 0;
        this.#onChange(this.#held);
      },
    };
  }
}

export interface Hold {
  /** False where there is no room. */
  add(bytes: number): boolean;
  /** May be called more than once. */
  release(): void;
}
