import { parentPort, workerData } from 'node:worker_threads';
import type { FromThread, ToThread } from './encoder-messages.ts';
import type { EncoderOptions } from './encoder.ts';
import { openNativeEncoder } from './native-encoder.ts';

// The thread of `openThreadedEncoder`: loads the tokenizer of a folder, then answers calls until it is stopped.
const port = parentPort;
if (port === null) throw new Error('encoder-thread is to be started as a worker thread. This is a bug.');
const encoder = openNativeEncoder(workerData as EncoderOptions); // set by openThreadedEncoder
const send = (message: FromThread, buffers: ArrayBuffer[] = []) => port.postMessage(message, buffers);

port.on('message', ({ call, texts }: ToThread) => {
  encoder.encode(texts).then(
    (encoded) => {
      const rows = encoded.map((ids) => Int32Array.from(ids)); // in buffers of their own, which can be handed over
      send(
        { kind: 'encoded', call, rows },
        rows.map(({ buffer }) => buffer),
      );
    },
    (error: unknown) => send({ kind: 'failed', call, message: error instanceof Error ? error.message : String(error) }),
  );
});
send({ kind: 'ready', before: encoder.before, after: encoder.after });
