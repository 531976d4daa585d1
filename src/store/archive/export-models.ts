import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { blobNameKind } from '../blob-name.ts';
import { ContentHasher, type HashOptions } from '../hash-file.ts';
import { hashModelFile } from '../hash-model-file.ts';
import { listFiles, sumSizes, type ModelFile } from '../list-files.ts';
import type { LocatedModel } from '../locate-model.ts';
import type { LockedFile } from '../lock-file.ts';
import { formatManifest, listEntries, manifestName, type ArchivedModel } from './manifest.ts';
import { ArchiveError } from './read-archive.ts';
import type { ArchiveItem } from './write-archive.ts';

/** A model that is put into an archive, as it was found on this machine. */
export interface ExportSource {
  readonly repository: string;
  /** As it was asked for; `main` when absent. */
  readonly revision: string | undefined;
  readonly place: LocatedModel;
}

/** Everything an archive will hold, in its order. */
export interface Export {
  readonly models: readonly ArchivedModel[];
  readonly items: readonly ArchiveItem[];
  /** Of all files together. */
  readonly totalBytes: number;
}

type Hashing = Pick<HashOptions, 'onBytes' | 'signal'>;

/** Bytes that `planExport` will read: of files whose name is not their checksum already. */
export function bytesToHash(sources: readonly ExportSource[]): number {
  const files = sources.flatMap(({ place }) => listFiles(place.folder));
  return sumSizes(files.filter((file) => sha256OfName(file) === undefined));
}

/**
 * Lists what goes into the archive of these models: the manifest first, then blobs, links and refs of each.
 * @throws ArchiveError for a file that is missing
 */
export async function planExport(sources: readonly ExportSource[], hashing: Hashing): Promise<Export> {
  const sorted = sources.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const models: ArchivedModel[] = [];
  const items = new Map<string, ArchiveItem>(); // by path: revisions of a repository share blobs
  for (const source of sorted) {
    const { model, origins } = await describeModel(source, hashing);
    models.push(model);
    for (const [path, entry] of listEntries(model)) {
      if (entry.kind === 'link') items.set(path, { path, target: entry.target });
      else if (entry.kind === 'ref') items.set(path, textItem(path, entry.commit));
      else {
        const origin = origins.get(originKey(path, entry.blob));
        if (origin === undefined) throw new Error(`Expected a file for ${path}, got none. This is a bug.`);
        items.set(path, fileItem(path, entry, { origin, hashing }));
      }
    }
  }
  const all = [textItem(manifestName, formatManifest({ models })), ...items.values()];
  return {
    models,
    items: all,
    totalBytes: all.reduce((sum, item) => sum + ('target' in item ? 0 : item.sizeBytes), 0),
  };
}

interface Described {
  readonly model: ArchivedModel;
  /** Where the bytes of an entry lie, by `originKey`. */
  readonly origins: ReadonlyMap<string, string>;
}

async function describeModel(
  { repository, revision = 'main', place }: ExportSource,
  hashing: Hashing,
): Promise<Described> {
  const origins = new Map<string, string>();
  const files: [path: string, LockedFile & { readonly blob: string }][] = [];
  for (const file of listFiles(place.folder)) {
    const { sizeBytes } = file;
    if (sizeBytes === undefined)
      throw new ArchiveError(`${file.file} is missing; run \`embeddings verify ${repository}\``);
    const sha256 = sha256OfName(file) ?? (await hashModelFile(file, hashing));
    const blob = file.blob !== undefined && blobNameKind(file.blob) !== undefined ? file.blob : sha256;
    files.push([file.path, { sizeBytes, sha256, blob }]);
    origins.set(originKey(`${repository}/${file.path}`, place.kind === 'cache' ? blob : undefined), file.file);
  }
  if (place.kind === 'cache') {
    const commit = place.revision ?? basename(place.folder); // a snapshot is named after its commit
    return { model: { kind: 'cache', repository, revision, commit, files: Object.fromEntries(files) }, origins };
  }
  const plain = files.map(([path, { sizeBytes, sha256 }]) => [path, { sizeBytes, sha256 }] as const);
  return { model: { kind: 'folder', repository, files: Object.fromEntries(plain) }, origins };
}

function originKey(path: string, blob: string | undefined): string {
  return blob ?? path;
}

/** Blobs of large files are named by their SHA-256; writing them checks it. */
function sha256OfName({ blob }: ModelFile): string | undefined {
  return blob !== undefined && blobNameKind(blob) === 'sha256' ? blob : undefined;
}

function textItem(path: string, text: string): ArchiveItem {
  const bytes = Buffer.from(text);
  return { path, sizeBytes: bytes.length, read: () => once(bytes) };
}

function fileItem(
  path: string,
  { sizeBytes, sha256 }: LockedFile,
  { origin, hashing }: { readonly origin: string; readonly hashing: Hashing },
): ArchiveItem {
  return { path, sizeBytes, read: () => readChecked(origin, sha256, hashing) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** @throws ArchiveError at the end of a file that does not hold what it should */
async function* readChecked(file: string, sha256: string, { signal }: Hashing): AsyncGenerator<Uint8Array> {
  const hasher = new ContentHasher();
  const chunks = createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>; // no encoding is set
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    hasher.update(chunk);
    yield chunk;
  }
  if (hasher.digest().sha256 !== sha256)
    throw new ArchiveError(`${file} is corrupt: expected SHA-256 ${sha256}; run \`embeddings verify\``);
}

function keyOf({ repository, revision = 'main' }: ExportSource): string {
  return `${repository} ${revision}`;
}
