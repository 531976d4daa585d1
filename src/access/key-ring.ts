import { timingSafeEqual } from 'node:crypto';
import { hashApiKey } from './api-key.ts';
import type { Caller } from './caller.ts';
import type { KeyRecord } from './key-record.ts';

/** Whose key it is, or why it is refused. */
export type FoundKey = { readonly caller: Caller } | { readonly refused: 'unknown' | 'expired' | 'revoked' };

/** Something that knows keys. */
export interface Keys {
  find(key: string): FoundKey;
}

interface Entry {
  readonly hash: Buffer;
  readonly caller: Caller;
  readonly expiresMs: number;
  readonly isRevoked: boolean;
}

/** Every key that may come with a request, by its hash; the keys themselves are not kept. */
export class KeyRing implements Keys {
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;

  /** `plain` are the keys of EMBEDDINGS_API_KEYS, `now` is the time of day in ms. */
  constructor(
    { plain = [], records = [] }: { readonly plain?: readonly string[]; readonly records?: readonly KeyRecord[] },
    now: () => number = Date.now,
  ) {
    this.#now = now;
    for (const [index, key] of plain.entries())
      this.#add(hashApiKey(key), { caller: { name: `env-${index + 1}` }, expiresMs: Infinity, isRevoked: false });
    // Last, so that the narrower of two entries for one key holds.
    for (const record of records)
      this.#add(record.hash, {
        caller: toCaller(record),
        expiresMs: record.expires === undefined ? Infinity : Date.parse(record.expires),
        isRevoked: record.revoked !== undefined,
      });
  }

  /** Takes a time that tells nothing: what is looked up is a hash, of which a caller cannot choose even one digit. */
  find(key: string): FoundKey {
    const hash = hashApiKey(key);
    const entry = this.#entries.get(hash);
    if (entry === undefined || !timingSafeEqual(entry.hash, Buffer.from(hash))) return { refused: 'unknown' };
    if (entry.isRevoked) return { refused: 'revoked' };
    if (entry.expiresMs <= this.#now()) return { refused: 'expired' };
    return { caller: entry.caller };
  }

  #add(hash: string, entry: Omit<Entry, 'hash'>): void {
    this.#entries.set(hash, { ...entry, hash: Buffer.from(hash) });
  }
}

function toCaller({ name, models, requestsPerMinute, tokensPerMinute }: KeyRecord): Caller {
  return { name, models, requestsPerMinute, tokensPerMinute };
}
