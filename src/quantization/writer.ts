/**
 * A process that makes tensors and writes them into their places of a file, one derivation after another. It ends when
 * whoever started it goes away, because nothing else keeps it.
 */
import { openSync, writeSync } from 'node:fs';
import type { TensorView } from '../store/safetensors.ts';
import { lowerPriority } from '../util/lower-priority.ts';
import { derive, type TensorSink } from './derive.ts';
import { nameWork } from '../util/name-work.ts';
import type { FromWriter, ToWriter } from './messages.ts';
import { TensorRows } from './tensor-rows.ts';

lowerPriority(10); // requests to other models go first

const source = new TensorRows();
let sink: TensorSink | undefined;
let requestIds: readonly string[] = [];

nameWork(process, () => requestIds);

process.on('SIGINT', () => {}); // whoever started this decides when it stops
process.on('SIGTERM', () => {});
process.on('message', (message: ToWriter) => {
  if (message.kind === 'derive') return void process.send?.(answer(message));
  const { file, tensors, requestId } = message;
  requestIds = requestId === undefined ? [] : [requestId];
  sink = openSink(file, tensors);
});

function answer({ derivation }: Extract<ToWriter, { kind: 'derive' }>): FromWriter {
  try {
    if (sink === undefined) throw new Error('Work came before the file. This is a bug.');
    derive(derivation, source, sink);
    return { kind: 'derived' };
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error), code, syscall };
  }
}

function openSink(file: string, tensors: ReadonlyMap<string, TensorView>): TensorSink {
  const descriptor = openSync(file, 'r+');
  return {
    write(name, bytes, at = 0) {
      const view = tensors.get(name);
      if (view === undefined) throw new Error(`No place was planned for the tensor ${name}. This is a bug.`);
      for (let done = 0; done < bytes.length;)
        done += writeSync(descriptor, bytes, done, bytes.length - done, view.offset + at + done);
    },
  };
}
