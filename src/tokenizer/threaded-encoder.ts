import { Worker } from 'node:worker_threads';
import type { FromThread, ToThread } from './encoder-messages.ts';
import type { Encoder, EncoderOptions } from './encoder.ts';
import { UnusualTokenizerError } from './unusual-tokenizer-error.ts';

const maxOldGenerationSizeMb = 1500; // a file of 33 MB needs less than 300

interface Call {
  readonly resolve: (rows: readonly Int32Array[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Loads and holds a tokenizer in a thread of its own. The native library parses only on the thread that will own the
 * tokenizer, and 17 MB take it 0.6 s, in which the event loop would answer nobody. Costs 25 MB and 0.2 ms a call.
 * @throws Error as `openNativeEncoder` does
 */
export async function openThreadedEncoder(options: EncoderOptions): Promise<Encoder> {
  const worker = new Worker(new URL('encoder-thread.js', import.meta.url), {
    workerData: options,
    resourceLimits: { maxOldGenerationSizeMb }, // above it the thread ends, not the process
  });
  const calls = new Map<number, Call>();
  let last = 0;
  let dead: Error | undefined;
  const settle = (call: number): Call | undefined => {
    const found = calls.get(call);
    calls.delete(call);
    if (calls.size === 0) worker.unref(); // an idle tokenizer keeps no process alive
    return found;
  };

  const { before, after } = await new Promise<{ before: number; after: number }>((resolve, reject) => {
    const die = (error: Error) => {
      dead ??= error;
      reject(dead); // without effect once it was ready
      for (const call of calls.values()) call.reject(dead);
      calls.clear();
      void worker.terminate(); // without effect where it has ended
    };
    worker.on('error', (error) => die(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => die(new Error('The thread of the tokenizer has ended.')));
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'ready') resolve(message);
      else if (message.kind === 'unusual') die(new UnusualTokenizerError(message.what));
      else if (message.kind === 'encoded') settle(message.call)?.resolve(message.rows);
      else settle(message.call)?.reject(new Error(message.message));
    });
  });
  worker.unref();
  return {
    before,
    after,
    encode: (texts) =>
      new Promise((resolve, reject) => {
        if (dead !== undefined) {
          reject(dead);
          return;
        }
        const call = ++last;
        calls.set(call, { resolve, reject });
        worker.ref();
        worker.postMessage({ call, texts } satisfies ToThread);
      }),
    close: () => void worker.terminate(),
  };
}
