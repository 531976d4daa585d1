/** Held by the one process that downloads a blob. */
export interface BlobLock {
  /** @throws LostLockError */
  readonly assertHeld: () => void;
  readonly release: () => Promise<void>;
}

/** Another process took the lock for abandoned, as after a machine slept, and may write to the same file. */
export class LostLockError extends Error {}
