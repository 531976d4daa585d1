/** What one vector is computed from. */
export interface Sequence {
  readonly ids: Int32Array;
  /** Tokens at its start that pooling leaves out, fewer than it has; none when absent. */
  readonly skip?: number;
}

/** One distinct input that waits for, or is in, a batch. Identical inputs in flight share one entry. */
export interface Entry extends Sequence {
  readonly key: string;
  readonly queuedAtMs: number;
  /** Who gets the vector, and as which row. */
  readonly waiters: Waiter[];
  state: 'waiting' | 'running' | 'done';
  /** Batches that failed with this entry in them; it then runs alone, so that it can only take itself down. */
  failures: number;
}

export interface Waiter {
  readonly submission: Submission;
  readonly row: number;
}

export interface Settle {
  readonly resolve: (data: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/** One request's rows, filled as its batches come back. */
export class Submission {
  readonly data: Float32Array;
  readonly #dim: number;
  readonly #settle: Settle;
  /** For the log. */
  readonly requestId: string | undefined;
  #missing: number;
  #isSettled = false;

  constructor(rows: number, dim: number, settle: Settle, requestId?: string) {
    this.requestId = requestId;
    this.data = new Float32Array(rows * dim);
    this.#dim = dim;
    this.#missing = rows;
    this.#settle = settle;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  fill(row: number, vector: Float32Array): void {
    if (this.#isSettled) return;
    this.data.set(vector, row * this.#dim);
    if (--this.#missing > 0) return;
    this.#isSettled = true;
    this.#settle.resolve(this.data);
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#settle.reject(error);
  }
}

/** Identical token ids of which pooling leaves out as many give identical keys. */
export function keyOf({ ids, skip = 0 }: Sequence): string {
  return `${skip === 0 ? '' : `${skip}:`}${Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength).toString('latin1')}`;
}
