import { readFileSync } from 'node:fs';

/** A file of raw float32, as the workers of both sides write it. */
export function readVectors(file: string): Float32Array {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
