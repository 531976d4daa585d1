import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

export interface HashOptions {
  /** Also compute the id that git gives the file, by which the hub names small ones. */
  readonly withGitBlobId?: boolean;
  /** Called with the bytes of each step. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface FileHashes {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly gitBlobId?: string;
  /** Of the contents alone; computed with `gitBlobId`. */
  readonly sha1?: string;
}

const stepBytes = 1024 * 1024; // larger reads hash no faster

/** Reads a file once from end to end. Rejects when it cannot be read, or with the reason of the abort. */
export async function hashFile(path: string, options: HashOptions = {}): Promise<FileHashes> {
  const { withGitBlobId = false, onBytes, signal } = options;
  const hasher = new ContentHasher(withGitBlobId ? { gitBlobOf: (await stat(path)).size } : {});
  signal?.throwIfAborted();
  const chunks = createReadStream(path, { highWaterMark: stepBytes }) as AsyncIterable<Buffer>; // no encoding is set
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    hasher.update(chunk);
    onBytes?.(chunk.length);
  }
  return hasher.digest();
}

/** Hashes bytes that pass by. */
export class ContentHasher {
  readonly #sha256 = createHash('sha256');
  readonly #gitBlob: Hash | undefined;
  readonly #sha1 = createHash('sha1');
  #sizeBytes = 0;

  /** Git's id begins with the size, which must therefore be known. */
  constructor({ gitBlobOf }: { readonly gitBlobOf?: number } = {}) {
    this.#gitBlob = gitBlobOf === undefined ? undefined : createHash('sha1').update(`blob ${gitBlobOf}\0`);
  }

  update(chunk: Uint8Array): void {
    this.#sha256.update(chunk);
    this.#gitBlob?.update(chunk);
    if (this.#gitBlob !== undefined) this.#sha1.update(chunk);
    this.#sizeBytes += chunk.length;
  }

  digest(): FileHashes {
    const hashes = { sizeBytes: this.#sizeBytes, sha256: this.#sha256.digest('hex') };
    return this.#gitBlob === undefined
      ? hashes
      : { ...hashes, gitBlobId: this.#gitBlob.digest('hex'), sha1: this.#sha1.digest('hex') };
  }
}
