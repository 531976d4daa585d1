import { readObject, readRecord, readSize, readText, show, wrong } from './check-json.ts';
import { isRepositoryFile } from './repository-id.ts';

/** A file as the lock file and the manifest of an archive hold it. */
export interface LockedFile {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Files by their path in the repository. @throws JsonShapeError */
export function readFiles<T>(value: unknown, at: string, parse: (file: unknown, at: string) => T): Record<string, T> {
  const entries = Object.entries(readRecord(value, at)).map(([path, file]) => {
    const here = `${at}[${show(path)}]`;
    if (!isRepositoryFile(path)) throw wrong(here, 'a path inside the repository', 'another');
    return [path, parse(file, here)] as const;
  });
  return Object.fromEntries(entries);
}

/** @throws JsonShapeError */
export function readLockedFile(value: unknown, at: string): LockedFile {
  const { sizeBytes, sha256 } = readObject(value, at, ['sizeBytes', 'sha256']);
  return { sizeBytes: readSize(sizeBytes, `${at}.sizeBytes`), sha256: readSha256(sha256, `${at}.sha256`) };
}

/** @throws JsonShapeError */
export function readSha256(value: unknown, at: string): string {
  return readText(value, at, '64 hexadecimal digits', (text) => /^[0-9a-f]{64}$/.test(text));
}
