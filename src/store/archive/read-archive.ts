import type { ReadEntry } from 'tar';

/** One entry of an archive that is read. What is left of `content` when the next is asked for is passed over. */
export interface ArchiveEntry {
  readonly path: string;
  readonly type: string;
  readonly sizeBytes: number;
  /** Of a link. */
  readonly target: string | undefined;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Thrown for bytes that are no tar file, or only the beginning of one. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/** The entries of a tar file, plain or gzipped, as its bytes come in. @throws ArchiveError */
export async function* readArchive(input: AsyncIterable<Uint8Array>): AsyncGenerator<ArchiveEntry> {
  const { Parser } = await import('tar'); // only here: the other commands start without it
  const waiting: ReadEntry[] = []; // the parser hands over one, and the next when that has been read
  let isAtEnd = false; // two empty blocks have come: what follows is padding
  let isDone = false;
  let failure: Error | undefined;
  const parser = new Parser({ strict: true });
  parser.on('entry', (entry: ReadEntry) => waiting.push(entry));
  parser.on('eof', () => (isAtEnd = true));
  parser.on('error', (error: Error) => (failure ??= error));
  const source = input[Symbol.asyncIterator]();

  /** One step of the input; false when there is no more. */
  async function pump(): Promise<boolean> {
    if (isDone) return false;
    const step = await source.next();
    if (step.done === true) {
      isDone = true;
      if (!isAtEnd) parser.end();
    } else if (!isAtEnd) parser.write(Buffer.from(step.value.buffer, step.value.byteOffset, step.value.byteLength));
    if (failure !== undefined) throw new ArchiveError(describe(failure), { cause: failure });
    return !isDone;
  }

  async function* contentOf(entry: ReadEntry): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = entry.read();
      if (chunk !== null) yield chunk;
      else if (entry.emittedEnd || !(await pump())) return;
    }
  }

  try {
    for (;;) {
      const entry = waiting.shift();
      if (entry === undefined) {
        if (await pump()) continue;
        if (waiting.length === 0) return;
        continue;
      }
      const content = contentOf(entry);
      const { path, type, size: sizeBytes, linkpath: target } = entry;
      yield { path, type, sizeBytes, target, content };
      for await (const _ of contentOf(entry)); // whatever the caller left
    }
  } finally {
    await source.return?.();
  }
}

function describe({ message }: Error): string {
  if (message.includes('Truncated input')) return 'expected a whole archive, got only its beginning; copy it again';
  return `expected a tar file as \`embeddings export\` writes it: ${message}`;
}
