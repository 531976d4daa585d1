import { type FileReader, quote, WeightFileError } from './file-reader.ts';

/** The bytes of a file inside a zip archive, which lie there as they are. */
export interface ZipEntry {
  readonly offset: number;
  readonly byteLength: number;
}

const signatures = {
  local: 0x0403_4b50,
  central: 0x0201_4b50,
  end: 0x0605_4b50,
  end64: 0x0606_4b50,
  locator64: 0x0706_4b50,
};
const endBytes = 22;
const locator64Bytes = 20;
const end64Bytes = 56;
const maxCommentBytes = 65_535; // a field of two bytes holds its length
const maxDirectoryBytes = 4_000_000; // some 30,000 entries; the largest checkpoints have some thousand

/** Whether a file begins like a zip archive. */
export function isZip(reader: FileReader): boolean {
  return reader.sizeBytes >= 4 && reader.read(0, 4).readUInt32LE() === signatures.local;
}

/**
 * The files of a zip archive by name. Only archives that hold them uncompressed, without encryption and without
 * overlap: then each is a byte range of the archive. Format: PKWARE APPNOTE 6.3, zip64 included.
 * @throws WeightFileError
 */
export function readZip(reader: FileReader): ReadonlyMap<string, ZipEntry> {
  const { offset, byteLength, count } = findDirectory(reader);
  if (byteLength > maxDirectoryBytes)
    throw broken(reader, `a directory of at most ${maxDirectoryBytes} bytes`, byteLength);
  const directory = reader.read(offset, byteLength);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let index = 0; index < count; index++) {
    const { next, ...header } = readCentralHeader(reader, directory, at);
    at = next;
    if (entries.has(header.name)) throw broken(reader, 'every name once', header.name);
    entries.set(header.name, findData(reader, header));
  }
  checkOverlap(reader, [...entries.values()], offset);
  return entries;
}

interface Directory extends ZipEntry {
  readonly count: number;
}

function findDirectory(reader: FileReader): Directory {
  const tailBytes = Math.min(reader.sizeBytes, endBytes + maxCommentBytes);
  const tailStart = reader.sizeBytes - tailBytes;
  const tail = reader.read(tailStart, tailBytes);
  for (let at = tail.length - endBytes; at >= 0; at--) {
    // The comment must reach the end of the file: the signature alone may stand in anything.
    if (tail.readUInt32LE(at) !== signatures.end || at + endBytes + tail.readUInt16LE(at + 20) !== tail.length)
      continue;
    const count = tail.readUInt16LE(at + 10);
    const byteLength = tail.readUInt32LE(at + 12);
    const offset = tail.readUInt32LE(at + 16);
    const is64 = count === 0xffff || byteLength === 0xffff_ffff || offset === 0xffff_ffff;
    return is64 ? findDirectory64(reader, tailStart + at) : { offset, byteLength, count };
  }
  throw new WeightFileError(
    `Expected the directory of a zip archive at the end of ${reader.path}. It may be a partial download.`,
  );
}

function findDirectory64(reader: FileReader, endAt: number): Directory {
  const locator = reader.read(endAt - locator64Bytes, locator64Bytes);
  if (locator.readUInt32LE() !== signatures.locator64) throw broken(reader, 'a zip64 locator', locator.readUInt32LE());
  const end = reader.read(toNumber(reader, locator.readBigUInt64LE(8)), end64Bytes);
  if (end.readUInt32LE() !== signatures.end64) throw broken(reader, 'a zip64 directory', end.readUInt32LE());
  return {
    count: toNumber(reader, end.readBigUInt64LE(32)),
    byteLength: toNumber(reader, end.readBigUInt64LE(40)),
    offset: toNumber(reader, end.readBigUInt64LE(48)),
  };
}

interface CentralHeader {
  readonly name: string;
  readonly byteLength: number;
  /** Of the local header. */
  readonly localOffset: number;
}

function readCentralHeader(
  reader: FileReader,
  directory: Buffer,
  at: number,
): CentralHeader & { readonly next: number } {
  const fixedBytes = 46;
  if (at + fixedBytes > directory.length) throw reader.cutShort();
  if (directory.readUInt32LE(at) !== signatures.central)
    throw broken(reader, 'an entry of the directory', directory.readUInt32LE(at));
  const nameEnd = at + fixedBytes + directory.readUInt16LE(at + 28);
  const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
  const next = extraEnd + directory.readUInt16LE(at + 32);
  if (next > directory.length) throw reader.cutShort();
  const name = directory.toString('utf8', at + fixedBytes, nameEnd);
  const [flags, method] = [directory.readUInt16LE(at + 8), directory.readUInt16LE(at + 10)];
  if ((flags & 1) !== 0) throw broken(reader, 'entries without encryption', name);
  if (method !== 0) throw broken(reader, 'entries without compression, as PyTorch writes them', name);
  const extra = directory.subarray(nameEnd, extraEnd);
  const [byteLength, storedLength, localOffset] = readSizes(reader, extra, [
    directory.readUInt32LE(at + 24),
    directory.readUInt32LE(at + 20),
    directory.readUInt32LE(at + 42),
  ]);
  if (storedLength !== byteLength) throw broken(reader, `${byteLength} stored bytes of ${quote(name)}`, storedLength);
  return { name, byteLength, localOffset, next };
}

/** Sizes that do not fit 32 bits are all ones, and follow in the zip64 field in the same order. */
function readSizes(
  reader: FileReader,
  extra: Buffer,
  sizes: readonly [number, number, number],
): [number, number, number] {
  let at = 0;
  while (at + 4 <= extra.length && extra.readUInt16LE(at) !== 1) at += 4 + extra.readUInt16LE(at + 2);
  let next = at + 4;
  const [whole, stored, offset] = sizes.map((size) => {
    if (size !== 0xffff_ffff) return size;
    if (next + 8 > extra.length) throw reader.cutShort();
    next += 8;
    return toNumber(reader, extra.readBigUInt64LE(next - 8));
  });
  return [whole!, stored!, offset!]; // mapped from three
}

/** The local header before the data repeats the name and has a padding of its own. */
function findData(reader: FileReader, { name, byteLength, localOffset }: CentralHeader): ZipEntry {
  const fixedBytes = 30;
  const local = reader.read(localOffset, fixedBytes);
  if (local.readUInt32LE() !== signatures.local) throw broken(reader, `the entry ${quote(name)}`, local.readUInt32LE());
  const nameBytes = local.readUInt16LE(26);
  if (reader.read(localOffset + fixedBytes, nameBytes).toString('utf8') !== name)
    throw broken(reader, `the name ${quote(name)} at its entry`, 'another name');
  const offset = localOffset + fixedBytes + nameBytes + local.readUInt16LE(28);
  if (offset + byteLength > reader.sizeBytes) throw reader.cutShort();
  return { offset, byteLength };
}

function checkOverlap(reader: FileReader, entries: readonly ZipEntry[], directoryOffset: number): void {
  let end = 0;
  for (const { offset, byteLength } of entries.toSorted((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)) {
    if (offset < end || offset + byteLength > directoryOffset)
      throw broken(reader, 'entries apart from each other', 'an overlap');
    end = offset + byteLength;
  }
}

function toNumber(reader: FileReader, value: bigint): number {
  if (value > BigInt(reader.sizeBytes)) throw reader.cutShort(); // no size or place in a file is above its own size
  return Number(value);
}

function broken(reader: FileReader, expected: string, got: unknown): WeightFileError {
  return new WeightFileError(
    `${reader.path} is no zip archive that can be used: expected ${expected}, got ${quote(got)}.`,
  );
}
