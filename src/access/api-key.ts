import { createHash, randomBytes } from 'node:crypto';

/** What every key that is made here begins with: scanners for leaked secrets find it by that. */
const keyPrefix = 'sk-emb-';

/** A new key: 256 random bits, so that nothing is faster than guessing them all. */
export function createApiKey(random: (bytes: number) => Buffer = randomBytes): string {
  return `${keyPrefix}${random(32).toString('base64url')}`;
}

/**
 * What is kept of a key. One round of SHA-256 is enough for keys of 256 random bits, unlike for passwords: there is no
 * list of likely ones to try.
 */
export function hashApiKey(key: string): string {
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
