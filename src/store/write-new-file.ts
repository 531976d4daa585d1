import { open } from 'node:fs/promises';

/**
 * Writes bytes as they come to a file that is not there yet. Settles only when the file is closed, so that a failed one
 * can be removed at once; resolves only when the disk has every byte.
 */
export async function writeNewFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    for await (const chunk of chunks)
      for (let at = 0; at < chunk.length;) at += (await handle.write(chunk, at)).bytesWritten;
    await handle.sync(); // no power cut leaves the right name on bytes that never arrived
  } finally {
    await handle.close();
  }
}
