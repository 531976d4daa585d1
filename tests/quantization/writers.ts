import { closeSync, openSync, writeSync } from 'node:fs';
import { derive } from '../../src/quantization/derive.ts';
import type { FromWriter, ToWriter } from '../../src/quantization/messages.ts';
import { TensorRows } from '../../src/quantization/tensor-rows.ts';
import type { OpenWriter, WriterEvents } from '../../src/quantization/writer-channel.ts';

/** What a writer of a test was sent, and whether it was stopped. */
export interface FakeWriter {
  readonly events: WriterEvents;
  readonly sent: ToWriter[];
  isKilled: boolean;
}

/** Writers that do what `answer` says to each message. */
export function fakeWriters(answer: (writer: FakeWriter, message: ToWriter) => void = () => {}) {
  const writers: FakeWriter[] = [];
  const openWriter: OpenWriter = (events) => {
    const writer: FakeWriter = { events, sent: [], isKilled: false };
    writers.push(writer);
    return {
      send(message) {
        writer.sent.push(message);
        answer(writer, message);
      },
      kill: () => (writer.isKilled = true),
    };
  };
  return { writers, openWriter };
}

/** Writers that make tensors as the real ones do, in this process. */
export function inProcessWriters() {
  return fakeWriters((writer, message) => {
    if (message.kind === 'derive') queueMicrotask(() => writer.events.message(makeTensors(writer, message)));
  });
}

function makeTensors({ sent }: FakeWriter, { derivation }: Extract<ToWriter, { kind: 'derive' }>): FromWriter {
  const opened = sent.find((message) => message.kind === 'open');
  if (opened === undefined) throw new Error('work came before the file');
  const descriptor = openSync(opened.file, 'r+');
  const source = new TensorRows();
  try {
    derive(derivation, source, {
      write: (name, bytes, at = 0) =>
        void writeSync(descriptor, bytes, 0, bytes.length, opened.tensors.get(name)!.offset + at),
    });
    return { kind: 'derived' };
  } catch (error) {
    return { kind: 'failed', reason: (error as Error).message, code: undefined, syscall: undefined };
  } finally {
    source.close();
    closeSync(descriptor);
  }
}
