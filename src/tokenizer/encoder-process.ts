import { writeFileSync } from 'node:fs';
import type { FromThread, ToThread } from './encoder-messages.ts';
import type { EncoderOptions } from './encoder.ts';
import { serveEncoder } from './serve-encoder.ts';

// The process of `openProcessEncoder`: loads the tokenizer of a folder, then answers calls until its server goes away.
try {
  writeFileSync('/proc/self/oom_score_adj', '1000'); // when memory is short this process is to go, not the server
} catch {
  // not Linux, or not allowed
}
// A Ctrl-C reaches the whole process group; the server decides when this process stops.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // a call that hangs would keep it alive

const send = (message: FromThread) => void process.send?.(message);

process.once('message', (options: EncoderOptions) => {
  try {
    const answer = serveEncoder({ ...options, isAlone: true }, send);
    process.on('message', (call: ToThread) => void answer(call));
  } catch (error) {
    send({ kind: 'failed', call: 0, message: error instanceof Error ? error.message : String(error) });
  }
});
