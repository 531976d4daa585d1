const smoothing = 0.2; // share of the newest batch

/** What one replica does under load: running means of the batches that left others waiting, as smaller ones say little. */
export class Speed {
  #batchTokens = 0;
  #batchMs = 0;

  /** Of a batch, from when the replica could have begun; 0 where none was measured. */
  get batchMs(): number {
    return this.#batchMs;
  }

  /** 0 where nothing was measured. */
  get tokensPerSecond(): number {
    return this.#batchMs === 0 ? 0 : (1000 * this.#batchTokens) / this.#batchMs;
  }

  measure(tokens: number, ms: number): void {
    this.#batchTokens = smooth(this.#batchTokens, tokens);
    this.#batchMs = smooth(this.#batchMs, Math.max(1, ms));
  }
}

function smooth(mean: number, value: number): number {
  return mean === 0 ? value : mean * (1 - smoothing) + value * smoothing;
}
