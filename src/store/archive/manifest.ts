import { posix } from 'node:path';
import { blobNameKind } from '../blob-name.ts';
import { readList, readObject, readRecord, readSize, readText, show, wrong } from '../check-json.ts';
import { isCommit, linkTarget, repositoryFolderName } from '../hub-cache.ts';
import { readFiles, readLockedFile, readSha256, type LockedFile } from '../lock-file.ts';
import { isRepositoryId, isRevision } from '../repository-id.ts';

/** The first file of an archive: it names all others, and nothing else is taken from an archive. */
export const manifestName = 'embeddings-manifest.json';

export interface Manifest {
  readonly models: readonly ArchivedModel[];
}

export type ArchivedModel = ArchivedSnapshot | ArchivedFolder;

/** A snapshot of the Hugging Face cache: blobs, links to them and a ref. */
export interface ArchivedSnapshot {
  readonly kind: 'cache';
  readonly repository: string;
  /** What it was asked for as; a ref unless it is the commit itself. */
  readonly revision: string;
  readonly commit: string;
  readonly files: Readonly<Record<string, ArchivedBlob>>;
}

/** A plain folder `<org>/<name>`, of the models folder or bundled. */
export interface ArchivedFolder {
  readonly kind: 'folder';
  readonly repository: string;
  readonly files: Readonly<Record<string, LockedFile>>;
}

export interface ArchivedBlob extends LockedFile {
  /** Name of the blob: the SHA-256 or the git id of the bytes. */
  readonly blob: string;
}

/** What one entry of an archive must be. */
export type ExpectedEntry =
  | { readonly kind: 'file'; readonly sizeBytes: number; readonly sha256: string; readonly blob?: string }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'ref'; readonly commit: string };

export function formatManifest({ models }: Manifest): string {
  return `${JSON.stringify({ version: 1, models }, null, 2)}\n`;
}

/** Every path that belongs to a model, with what it must hold; files of the same bytes share a blob. */
export function listEntries(model: ArchivedModel): ReadonlyMap<string, ExpectedEntry> {
  const entries = new Map<string, ExpectedEntry>();
  if (model.kind === 'folder') {
    for (const [path, { sizeBytes, sha256 }] of Object.entries(model.files))
      entries.set(`${model.repository}/${path}`, { kind: 'file', sizeBytes, sha256 });
    return entries;
  }
  const root = repositoryFolderName(model.repository);
  const files = Object.entries(model.files);
  for (const [, { sizeBytes, sha256, blob }] of files)
    entries.set(`${root}/blobs/${blob}`, { kind: 'file', sizeBytes, sha256, blob });
  for (const [path, { blob }] of files)
    entries.set(`${root}/snapshots/${model.commit}/${path}`, { kind: 'link', target: linkTarget(path, blob) });
  if (!isCommit(model.revision)) entries.set(`${root}/refs/${model.revision}`, { kind: 'ref', commit: model.commit });
  return entries;
}

/** @throws JsonShapeError naming the place in the JSON, SyntaxError */
export function parseManifest(text: string): Manifest {
  const { version, models } = readObject(JSON.parse(text), 'the manifest', ['version', 'models']);
  if (version !== 1) throw wrong('version', '1', show(version));
  const parsed = readList(models, 'models').map((value, index) => parseModel(value, `models[${index}]`));
  const seen = new Map<string, string>();
  for (const [index, model] of parsed.entries()) {
    for (const [path, entry] of listEntries(model)) {
      const now = JSON.stringify(entry);
      if ((seen.get(path) ?? now) !== now) throw wrong(`models[${index}]`, `one content of ${path}`, 'two');
      seen.set(path, now);
    }
  }
  const both = findFolderFile(seen);
  if (both !== undefined) throw wrong('models', `a folder or a file at ${both}`, 'both');
  return { models: parsed };
}

/** A file whose path is that of a folder too: no disk can have both. */
function findFolderFile(paths: ReadonlyMap<string, unknown>): string | undefined {
  const folders = new Set<string>();
  for (const path of paths.keys())
    for (let above = posix.dirname(path); above !== '.' && !folders.has(above); above = posix.dirname(above))
      folders.add(above);
  return [...folders].find((folder) => paths.has(folder));
}

function parseModel(value: unknown, at: string): ArchivedModel {
  const { kind } = readRecord(value, at);
  if (kind === 'folder') {
    const { repository, files } = readObject(value, at, ['kind', 'repository', 'files']);
    return { kind, repository: readRepository(repository, at), files: readFiles(files, `${at}.files`, readLockedFile) };
  }
  if (kind !== 'cache') throw wrong(`${at}.kind`, 'cache or folder', show(kind));
  const { repository, revision, commit, files } = readObject(value, at, [
    'kind',
    'repository',
    'revision',
    'commit',
    'files',
  ]);
  return {
    kind,
    repository: readRepository(repository, at),
    revision: readText(revision, `${at}.revision`, 'a branch, tag or commit', isRevision),
    commit: readText(commit, `${at}.commit`, 'a commit of 40 hexadecimal digits', isCommit),
    files: readFiles(files, `${at}.files`, parseBlob),
  };
}

function readRepository(value: unknown, at: string): string {
  return readText(value, `${at}.repository`, 'a Hugging Face id', isRepositoryId);
}

function parseBlob(value: unknown, at: string): ArchivedBlob {
  const { sizeBytes, sha256, blob } = readObject(value, at, ['sizeBytes', 'sha256', 'blob']);
  return {
    sizeBytes: readSize(sizeBytes, `${at}.sizeBytes`),
    sha256: readSha256(sha256, `${at}.sha256`),
    blob: readText(blob, `${at}.blob`, 'a SHA-256 or git id', (name) => blobNameKind(name) !== undefined),
  };
}
