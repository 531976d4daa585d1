/** A file as the lock file holds it. */
export interface LockedFile {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What a model is held to: the commit of its revision, and the contents of every file. */
export interface LockedModel {
  readonly repository: string;
  /** As the allowlist asks for it; `main` where it names none. */
  readonly revision: string;
  readonly commit: string;
  /** By path in the repository. */
  readonly files: Readonly<Record<string, LockedFile>>;
}
