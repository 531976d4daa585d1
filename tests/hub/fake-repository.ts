import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** One commit of a repository that the fake hub serves. */
export interface FakeRepository {
  readonly id: string;
  readonly commit: string;
  /** Branches and tags with the commit they name. */
  readonly refs: readonly string[];
  readonly files: ReadonlyMap<string, FakeFile>;
  /** Terms must be accepted: only this token may read files. */
  readonly gatedFor?: string;
  /** Nobody else sees that it is there. */
  readonly privateFor?: string;
  /** `names`: as mirrors do, without sizes and hashes. */
  readonly listing?: 'full' | 'names';
  /** What the list says of files instead of their size. */
  readonly listedSizes?: Readonly<Record<string, number>>;
}

export interface FakeFile {
  readonly content: Buffer;
  /** Large files come from the second host, and are named by their SHA-256. */
  readonly isLarge: boolean;
  readonly etag: string;
}

export interface RepositoryOptions extends Partial<Omit<FakeRepository, 'id' | 'files'>> {
  /** Which paths are large files; by default what the hub keeps so. */
  readonly isLarge?: (path: string) => boolean;
}

export function fakeRepository(
  id: string,
  files: Readonly<Record<string, string | Buffer>>,
  { isLarge = isLargeByName, ...options }: RepositoryOptions = {},
): FakeRepository {
  return {
    id,
    commit: sha('sha1', JSON.stringify([id, Object.keys(files)])),
    refs: ['main'],
    files: new Map(
      Object.entries(files).map(([path, content]) => [path, fakeFile(Buffer.from(content as string), isLarge(path))]),
    ),
    ...options,
  };
}

/** A model folder of this machine as a repository. */
export function repositoryFromFolder(id: string, folder: string, options: RepositoryOptions = {}): FakeRepository {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  return fakeRepository(id, Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path))])), options);
}

function fakeFile(content: Buffer, isLarge: boolean): FakeFile {
  const etag = isLarge
    ? sha('sha256', content)
    : sha('sha1', Buffer.concat([Buffer.from(`blob ${content.length}\0`), content]));
  return { content, isLarge, etag };
}

function isLargeByName(path: string): boolean {
  return /\.(safetensors|bin|onnx|onnx_data|h5|ot|pt|model|msgpack)$/.test(path);
}

function sha(algorithm: 'sha1' | 'sha256', content: string | Buffer): string {
  return createHash(algorithm).update(content).digest('hex');
}
