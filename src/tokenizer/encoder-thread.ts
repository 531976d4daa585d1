import { parentPort, workerData } from 'node:worker_threads';
import { serveEncoder } from './serve-encoder.ts';
import type { FromThread, ToThread } from './encoder-messages.ts';
import type { EncoderOptions } from './encoder.ts';

// The thread of `openThreadedEncoder`: loads the tokenizer of a folder, then answers calls until it is stopped.
const port = parentPort;
if (port === null) throw new Error('encoder-thread is to be started as a worker thread. This is a bug.');
const send = (message: FromThread, buffers: ArrayBuffer[] = []) => port.postMessage(message, buffers);
const answer = serveEncoder(workerData as EncoderOptions, send); // set by openThreadedEncoder
port.on('message', (message: ToThread) => void answer(message));
