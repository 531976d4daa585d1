const firstTokensPerByte = 0.25; // of English with most tokenizers
const smoothing = 0.05; // share of the newest request
const knownFloor = 1 / 64; // texts of one long word must not make the next look like nothing

/** How many tokens texts of a size have, before they are tokenised: learned from the texts before them. */
export class TokenEstimate {
  #tokensPerByte = firstTokensPerByte;

  of(bytes: number): number {
    return Math.ceil(bytes * this.#tokensPerByte);
  }

  learn(bytes: number, tokens: number): void {
    if (bytes === 0) return;
    const ratio = Math.max(knownFloor, tokens / bytes);
    this.#tokensPerByte += smoothing * (ratio - this.#tokensPerByte);
  }
}
