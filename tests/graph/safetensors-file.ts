import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FileTensor {
  readonly shape: readonly number[];
  /** Float32 values, or bytes of another `dtype`. */
  readonly data: Float32Array | Uint8Array;
  readonly dtype?: string;
}

/** A safetensors file with these tensors one after another. */
export function toSafetensors(tensors: Readonly<Record<string, FileTensor>>): Buffer {
  let end = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  for (const [name, { shape, data, dtype = 'F32' }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, (end += data.byteLength)] };
  }
  const bytes = Object.values(tensors).map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return withHeader(header, Buffer.concat(bytes));
}

/** A file with any header, right or wrong. */
export function withHeader(header: unknown, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const aligned = Buffer.alloc(Math.ceil((8 + json.length) / 8) * 8 - 8, ' ');
  json.copy(aligned);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(aligned.length));
  return Buffer.concat([length, aligned, data]);
}

export function writeSafetensors(
  folder: string,
  tensors: Readonly<Record<string, FileTensor>>,
  name = 'model.safetensors',
): void {
  writeFileSync(join(folder, name), toSafetensors(tensors));
}
