import type { Readable } from 'node:stream';
import { ServiceError } from '../errors.ts';
import type { Hold } from './held-bytes.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly hold: Hold;
  readonly noRoom: () => ServiceError;
}

/** A body that stops arriving for so long is given up; a bad mobile line is not. */
export const stallSeconds = 20;

type Done = (error: Error | undefined, body?: Buffer) => void;

/** Reads a body while it keeps within its limits; what is over them is never held. */
export function readBody(stream: Readable, { maxBytes, hold, noRoom }: BodyLimits, done: Done): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stop = (error: Error | undefined, body?: Buffer): void => {
    clearTimeout(stall);
    stream.off('data', onData).off('end', onEnd).off('error', stop);
    stream.on('error', () => {}); // the client may still leave
    chunks.length = 0;
    done(error, body);
  };
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes > maxBytes) return stop(new ServiceError('body_too_large', { max: maxBytes }));
    if (!hold.add(chunk.length)) return stop(noRoom());
    chunks.push(chunk);
    stall.refresh();
  };
  const onEnd = (): void => stop(undefined, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes));
  const stall = setTimeout(
    () => stop(new ServiceError('request_timeout', { seconds: stallSeconds })),
    stallSeconds * 1000,
  );
  stream.on('data', onData).on('end', onEnd).on('error', stop);
}
