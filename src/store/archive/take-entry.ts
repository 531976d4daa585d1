import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blobNameKind, isBlobOfName } from '../blob-name.ts';
import { ContentHasher, hashFile, type FileHashes } from '../hash-file.ts';
import { writeNewFile } from '../write-new-file.ts';
import type { ArchivedModel, ExpectedEntry } from './manifest.ts';
import { ArchiveError, type ArchiveEntry } from './read-archive.ts';
import type { Staging } from './staging.ts';

export interface TakeHooks {
  /** Called with the bytes of each step. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TakeOptions {
  /** What the manifest says about the entry. */
  readonly entry: ExpectedEntry;
  readonly model: ArchivedModel;
  /** The folder that the model will lie in. */
  readonly home: string;
  readonly staging: Staging;
  readonly hooks: TakeHooks;
}

type ExpectedFile = Extract<ExpectedEntry, { kind: 'file' }>;

const fileTypes: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];

/** Checks one entry, and stages its bytes unless they are there already. @throws ArchiveError for any other content */
export async function takeEntry(entry: ArchiveEntry, wanted: TakeOptions): Promise<void> {
  const { path, type } = entry;
  const isLink = wanted.entry.kind === 'link';
  if (isLink ? type !== 'SymbolicLink' : !fileTypes.includes(type))
    throw new ArchiveError(`expected a ${isLink ? 'symbolic link' : 'file'} at ${path}, got a ${type}`);
  switch (wanted.entry.kind) {
    case 'link':
      return checkText(path, { expected: wanted.entry.target, got: entry.target ?? '' });
    case 'ref':
      return checkText(path, { expected: wanted.entry.commit, got: await readShort(entry) });
    case 'file':
      return takeFile(entry, wanted.entry, wanted);
    default:
      return wanted.entry satisfies never;
  }
}

async function takeFile(entry: ArchiveEntry, expected: ExpectedFile, around: TakeOptions): Promise<void> {
  const { model, home, staging, hooks } = around;
  const { path, sizeBytes } = entry;
  if (sizeBytes !== expected.sizeBytes)
    throw new ArchiveError(`expected ${expected.sizeBytes} bytes of ${path}, got ${sizeBytes}`);
  if (await isThere(join(home, path), expected, hooks.signal)) {
    for await (const chunk of entry.content) hooks.onBytes?.(chunk.length);
    return;
  }
  const folder = join(home, model.repository);
  if (model.kind === 'folder' && existsSync(folder))
    throw new ArchiveError(
      `${folder} exists and has other files than the archive; move or delete it, then import again`,
    );
  const hashes = await write(entry, staging.pathIn(home, path), around);
  if (hashes.sizeBytes !== sizeBytes)
    throw new ArchiveError(`expected ${sizeBytes} bytes of ${path}, got ${hashes.sizeBytes}; copy the archive again`);
  if (!isExpected(hashes, expected))
    throw new ArchiveError(`${path} is corrupt: expected SHA-256 ${expected.sha256}, got ${hashes.sha256}`);
}

/** A file with the right bytes stays; one with others is replaced, which mends a broken cache. */
async function isThere(file: string, expected: ExpectedFile, signal: AbortSignal | undefined): Promise<boolean> {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size !== expected.sizeBytes) return false;
  return isExpected(await hashFile(file, { withGitBlobId: true, signal }), expected);
}

function isExpected(hashes: FileHashes, { sha256, blob }: ExpectedFile): boolean {
  return hashes.sha256 === sha256 && (blob === undefined || isBlobOfName(blob, hashes));
}

async function write(
  { content, sizeBytes }: ArchiveEntry,
  file: string,
  { entry, hooks }: TakeOptions,
): Promise<FileHashes> {
  const isGit = entry.kind === 'file' && entry.blob !== undefined && blobNameKind(entry.blob) === 'git';
  const hasher = new ContentHasher(isGit ? { gitBlobOf: sizeBytes } : {});
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      hooks.signal?.throwIfAborted();
      hasher.update(chunk);
      hooks.onBytes?.(chunk.length);
      yield chunk;
    }
  }
  mkdirSync(dirname(file), { recursive: true });
  await writeNewFile(file, hashed());
  return hasher.digest();
}

function checkText(path: string, { expected, got }: { readonly expected: string; readonly got: string }): void {
  if (got !== expected) throw new ArchiveError(`expected ${expected} in ${path}, got ${JSON.stringify(got)}`);
}

/** A ref holds a commit, perhaps with a line end. */
async function readShort({ content, path, sizeBytes }: ArchiveEntry): Promise<string> {
  if (sizeBytes > 100) throw new ArchiveError(`expected a commit in ${path}, got ${sizeBytes} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1').trim();
}
