import { spawn } from 'node:child_process';
import { type FileHandle, open, stat } from 'node:fs/promises';

export interface FlockOptions {
  /** Called where another holds it, before waiting. */
  readonly onWait: () => void;
  readonly signal: AbortSignal;
}

const groupWritable = 0o664; // as Python makes them, so that users who share a cache can wait for each other
const searchPath = '/usr/local/bin:/usr/bin:/bin';

/**
 * Takes flock(2) on a file, as Python's filelock does. Node cannot call it, so the command `flock` of util-linux or
 * busybox does it on our open file, and ends. The lock belongs to the open file: it is free when that is closed, or the
 * moment this process dies, however it dies. Undefined where there is no such command, or the file system has no locks.
 * @throws the signal's reason, errors of the file system
 */
export async function takeFlock(
  path: string,
  { onWait, signal }: FlockOptions,
  command = 'flock',
): Promise<FileHandle | undefined> {
  for (;;) {
    const file = await open(path, 'a+', groupWritable);
    try {
      let status = await run(command, ['-x', '-n', '3'], { file, signal });
      if (status === 1) {
        onWait();
        status = await run(command, ['-x', '3'], { file, signal });
      }
      if (status === 0 && (await isAt(path, file))) return file;
      await file.close();
      if (status !== 0) return undefined;
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}

/** The exit status of a command that has the file as its descriptor 3; undefined where it could not be started. */
async function run(
  command: string,
  args: readonly string[],
  { file, signal }: { readonly file: FileHandle; readonly signal: AbortSignal },
): Promise<number | undefined> {
  signal.throwIfAborted();
  // Of our environment it needs nothing, and should not see the token.
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore', file.fd], env: { PATH: searchPath } });
  const stop = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  try {
    const [status, killedBy] = await new Promise<readonly [number | null | undefined, string | null]>((resolve) => {
      child.once('error', () => resolve([undefined, null]));
      child.once('exit', (code, name) => resolve([code, name]));
    });
    signal.throwIfAborted();
    if (status === null) throw new Error(`Expected \`flock\` to wait for a lock, it was killed by ${killedBy}.`);
    return status;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A file that was deleted while we waited, as `embeddings rm` does, keeps nobody else away. */
async function isAt(path: string, file: FileHandle): Promise<boolean> {
  const mine = await file.stat();
  const there = await stat(path).catch(() => undefined);
  return there?.ino === mine.ino && there.dev === mine.dev;
}
