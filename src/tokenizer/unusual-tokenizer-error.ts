/** Thrown for a tokenizer that may end or hold up its process with some text: it must be alone there. */
export class UnusualTokenizerError extends Error {
  readonly what: string;

  constructor(what: string) {
    super(`Expected a tokenizer of usual parts in a process with others, got one with ${what}.`);
    this.what = what;
  }
}
