import { Session } from 'node:inspector/promises';
import { getHeapStatistics } from 'node:v8';

const largestHeapBytes = 64e6;

/**
 * Gives back what is garbage and what V8 keeps for more. It stops the thread for 50 ms at 25 MB of heap and for longer
 * with more; a heap that large V8 collects by itself, because much is allocated. With little it waits for JavaScript to
 * allocate, and memory of native objects, such as the tokenizer of a model that has been unloaded, does not move it.
 */
export async function collectGarbage(): Promise<void> {
  if (getHeapStatistics().used_heap_size > largestHeapBytes) return;
  const session = new Session(); // in this process: no port is opened
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
}
