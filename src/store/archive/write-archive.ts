import type { Header, Pax } from 'tar';

/** One entry of an archive to be written. */
export type ArchiveItem =
  | { readonly path: string; readonly sizeBytes: number; readonly read: () => AsyncIterable<Uint8Array> }
  | { readonly path: string; readonly target: string };

type Tar = { Header: typeof Header; Pax: typeof Pax };

const blockBytes = 512;

/**
 * The bytes of a tar file: the same for the same items on every machine and at any time.
 * @throws Error when a file has other bytes than it was said to have
 */
export async function* writeArchive(items: Iterable<ArchiveItem>): AsyncGenerator<Uint8Array> {
  const tar = await import('tar'); // only here: the other commands start without it
  for (const item of items) {
    yield* encodeHeader(item, tar);
    if ('target' in item) continue;
    let sizeBytes = 0;
    for await (const chunk of item.read()) {
      sizeBytes += chunk.length;
      if (sizeBytes > item.sizeBytes) break;
      yield chunk;
    }
    if (sizeBytes !== item.sizeBytes)
      throw new Error(`Expected ${item.path} to have ${item.sizeBytes} bytes, got ${sizeBytes}: it changed meanwhile.`);
    yield Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
  }
  yield Buffer.alloc(2 * blockBytes); // the end of a tar file
}

/** A pax header goes before where a long name or more than 8 GB do not fit into the plain one. */
function* encodeHeader(item: ArchiveItem, tar: Tar): Generator<Uint8Array> {
  const { path } = item;
  const isLink = 'target' in item;
  const size = isLink ? 0 : item.sizeBytes;
  const header = new tar.Header({
    path,
    type: isLink ? 'SymbolicLink' : 'File',
    mode: isLink ? 0o777 : 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: new Date(0),
    ...(isLink ? { linkpath: item.target } : {}),
  });
  const block = Buffer.alloc(blockBytes);
  header.encode(block);
  if (header.needPax)
    yield new tar.Pax({ path, size, mtime: new Date(0), ...(isLink ? { linkpath: item.target } : {}) }).encode();
  yield block;
}
