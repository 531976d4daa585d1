import type { FromThread, ToThread } from './encoder-messages.ts';
import type { EncoderOptions } from './encoder.ts';
import { openNativeEncoder } from './native-encoder.ts';
import { UnusualTokenizerError } from './unusual-tokenizer-error.ts';

/** `buffers` hold the rows of the message, and can be handed over. */
type Send = (message: FromThread, buffers?: ArrayBuffer[]) => void;

/**
 * Loads a tokenizer, says so, and gives what answers the calls of whoever asked for it.
 * @throws Error as `openNativeEncoder` does, but says by a message that it must be alone
 */
export function serveEncoder(options: EncoderOptions, send: Send): (call: ToThread) => Promise<void> {
  let encoder: ReturnType<typeof openNativeEncoder>;
  try {
    encoder = openNativeEncoder(options);
  } catch (error) {
    if (!(error instanceof UnusualTokenizerError)) throw error;
    send({ kind: 'unusual', what: error.what });
    return async () => {};
  }
  send({ kind: 'ready', before: encoder.before, after: encoder.after });
  return async ({ call, texts }) => {
    try {
      const encoded = await encoder.encode(texts);
      const rows = encoded.map((ids) => Int32Array.from(ids)); // in buffers of their own
      send(
        { kind: 'encoded', call, rows },
        rows.map(({ buffer }) => buffer),
      );
    } catch (error) {
      send({ kind: 'failed', call, message: error instanceof Error ? error.message : String(error) });
    }
  };
}
