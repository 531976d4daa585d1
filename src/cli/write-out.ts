import type { Writable } from 'node:stream';

/** Thrown when whoever reads our output has gone. */
export class StdoutClosed extends Error {}

/** Writes and waits until the stream has taken it, so that a slow reader slows us down. @throws StdoutClosed */
export function writeOut(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(isClosed(error) ? new StdoutClosed(error.message, { cause: error }) : error);
    });
  });
}

function isClosed(error: Error & { readonly code?: string }): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || error.code === 'ERR_STREAM_WRITE_AFTER_END';
}
