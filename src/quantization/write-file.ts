import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Derivation } from '../graph/derivation.ts';
import type { Layout } from './layout.ts';
import type { FromWriter } from './messages.ts';
import { weightsOf } from './weights-of.ts';
import { forkWriter, type OpenWriter } from './writer-channel.ts';

export interface WriteOptions {
  readonly derivations: readonly Derivation[];
  readonly layout: Layout;
  /** The file appears under this name when it is whole. */
  readonly file: string;
  readonly processes: number;
  readonly onProgress?: ((progress: WriteProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of the request that wants the model, if one does. */
  readonly requestId?: string | undefined;
  readonly openWriter?: OpenWriter;
}

export interface WriteProgress {
  /** Of the checkpoint. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/**
 * Makes every tensor of a layout, several processes side by side.
 * @throws WriterError, an error of the file system, the signal's reason
 */
export async function writeDerived(options: WriteOptions): Promise<void> {
  const { layout, file } = options;
  const partial = `${file}.${process.pid}.partial`;
  const descriptor = openSync(partial, 'w');
  try {
    writeSync(descriptor, layout.header);
    ftruncateSync(descriptor, layout.sizeBytes);
    await share(partial, options);
    fsyncSync(descriptor); // no power cut leaves the right name on bytes that never arrived
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Thrown when a tensor cannot be made, or the process that makes it ends. */
export class WriterError extends Error {
  /** Of the file system. */
  readonly code: string | undefined;
  readonly syscall: string | undefined;

  constructor(reason: string, { code, syscall }: Pick<NodeJS.ErrnoException, 'code' | 'syscall'> = {}) {
    super(reason);
    this.code = code;
    this.syscall = syscall;
  }
}

/** Whoever is done gets the next derivation, the largest first. */
async function share(partial: string, options: WriteOptions): Promise<void> {
  const { derivations, layout, processes, onProgress, signal, requestId, openWriter = forkWriter } = options;
  const waiting = derivations.toSorted((a, b) => bytesOf(b) - bytesOf(a));
  const totalBytes = waiting.reduce((sum, derivation) => sum + bytesOf(derivation), 0);
  let doneBytes = 0;
  onProgress?.({ doneBytes, totalBytes });
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let current: Derivation | undefined;
      const next = (): void => {
        current = waiting.shift();
        if (current === undefined) resolve();
        else channel.send({ kind: 'derive', derivation: current });
      };
      const onMessage = (message: FromWriter): void => {
        if (message.kind === 'failed') return reject(new WriterError(message.reason, message));
        doneBytes += current === undefined ? 0 : bytesOf(current);
        onProgress?.({ doneBytes, totalBytes });
        next();
      };
      const channel = openWriter({
        message: onMessage,
        exit: (reason) => reject(new WriterError(`The process that quantises weights ended (${reason}).`)),
      });
      stops.push(() => channel.kill());
      channel.send({ kind: 'open', file: partial, tensors: layout.tensors, requestId });
      next();
    });
  const stops: (() => void)[] = [];
  const stopAll = (): void => {
    for (const stop of stops) stop();
  };
  signal?.throwIfAborted();
  signal?.addEventListener('abort', stopAll);
  try {
    await Promise.all(Array.from({ length: Math.min(processes, waiting.length) }, work));
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stopAll);
    stopAll();
  }
}

function bytesOf(derivation: Derivation): number {
  return weightsOf(derivation).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
