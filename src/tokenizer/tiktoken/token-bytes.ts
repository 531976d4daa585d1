import { setImmediate } from 'node:timers/promises';

/** An encoding as js-tiktoken carries it: lines of `! OFFSET TOKEN TOKEN ...`, the tokens in base64. */
export interface Ranks {
  readonly bpe_ranks: string;
  readonly special_tokens: Readonly<Record<string, number>>;
}

const tokensPerTurn = 20_000; // some 5 ms of the event loop
const longToken = 16; // from here on a copy by the runtime costs less than a loop

/** The bytes of every token of an encoding, without an object for each: 100,000 tokens take 1.3 MB. */
export class TokenBytes {
  readonly #bytes: Buffer;
  /** Token `id` is `#lengths[id]` bytes from `#starts[id]` on; a length of 0 stands for no token. */
  readonly #starts: Uint32Array;
  readonly #lengths: Uint16Array;

  private constructor(bytes: Buffer, starts: Uint32Array, lengths: Uint16Array) {
    this.#bytes = bytes;
    this.#starts = starts;
    this.#lengths = lengths;
  }

  /** Lets other work in between. */
  static async read({ bpe_ranks: ranks, special_tokens: special }: Ranks): Promise<TokenBytes> {
    const size = Math.max(...Object.values(special)) + 1; // special tokens stand behind all others
    const bytes = Buffer.alloc(ranks.length); // base64 is longer than what it says
    const starts = new Uint32Array(size);
    const lengths = new Uint16Array(size);
    let end = 0;
    const add = (id: number, token: string, encoding: 'base64' | 'utf8'): void => {
      if (!(id < size)) throw new Error(`Expected token ids below ${size} in the ranks, got ${id}. This is a bug.`);
      starts[id] = end;
      lengths[id] = bytes.write(token, end, encoding);
      end += lengths[id]!;
    };
    for (const [text, id] of Object.entries(special)) add(id, text, 'utf8');
    for (const line of ranks.split('\n')) {
      let id = 0;
      for (const [place, word] of wordsOf(line)) {
        if (place === 1) id = Number(word);
        else if (place > 1) add(id++, word, 'base64');
        if (place % tokensPerTurn === 0) await setImmediate();
      }
    }
    return new TokenBytes(Buffer.from(bytes.subarray(0, end)), starts, lengths);
  }

  /** Position of the first id that is no token, -1 where there is none. */
  findUnknown(ids: Int32Array): number {
    return ids.findIndex((id) => !(this.#lengths[id]! > 0)); // undefined beyond the last id
  }

  /** The text of known ids. Bytes that are no UTF-8, as of a character cut in two, become U+FFFD. */
  decode(ids: Int32Array): string {
    let size = 0;
    for (const id of ids) size += this.#lengths[id]!;
    const text = Buffer.allocUnsafe(size);
    let at = 0;
    for (const id of ids) {
      const start = this.#starts[id]!;
      const length = this.#lengths[id]!;
      if (length >= longToken) this.#bytes.copy(text, at, start, start + length);
      else for (let i = 0; i < length; i++) text[at + i] = this.#bytes[start + i]!;
      at += length;
    }
    return text.toString('utf8');
  }
}

/** Each word with its place in the line; not `split`, which makes 200,000 of them at once. */
function* wordsOf(line: string): Generator<readonly [place: number, word: string]> {
  let place = 0;
  for (let start = 0; start < line.length; place++) {
    const space = line.indexOf(' ', start);
    const end = space < 0 ? line.length : space;
    yield [place, line.slice(start, end)];
    start = end + 1;
  }
}
