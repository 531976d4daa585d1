import { endianness } from 'node:os';
import { ServiceError } from '../errors.ts';

/** Bytes that `writeBase64` writes for `count` numbers. */
export function base64Bytes(count: number): number {
  return Math.ceil((count * Float32Array.BYTES_PER_ELEMENT) / 3) * 4;
}

/**
 * Writes numbers as base64 of little-endian float32, without quotes. Returns the position after the last byte.
 * @throws ServiceError `non_finite_output` with `param`
 */
export function writeBase64(values: Float32Array, out: Buffer, position: number, param: string): number {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    if (value - value !== 0) throw new ServiceError('non_finite_output', { param }); // NaN, Infinity
  }
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const text = (isLittleEndian ? bytes : Buffer.from(bytes).swap32()).toString('base64');
  return position + out.write(text, position, 'latin1');
}

const isLittleEndian = endianness() === 'LE';
