import { expect, onTestFinished, test } from 'vitest';
import { type FileTensor, writeSafetensors } from '../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { WeightFileError } from '../store/file-reader.ts';
import { readTensorIndex } from '../store/safetensors.ts';
import { TensorRows } from './tensor-rows.ts';

const mebibyte = 1 << 20;

test.each([
  ['many short rows', 3000, 256],
  ['rows longer than a chunk', 3, mebibyte / 4 + 1],
  ['a row', 1, 7],
])('%s come in order, each once, no more than a chunk or a row at a time', (_name, rows, size) => {
  const data = Float32Array.from({ length: rows * size }, (__, i) => i % 100_003);
  const { source, view } = open({ w: { shape: [rows, size], data } });
  let next = 0;
  for (const { first, values } of source.readRows(view('w'))) {
    expect(first).toBe(next);
    expect(values.byteLength).toBeLessThanOrEqual(Math.max(mebibyte, size * 4));
    expect(Buffer.compare(Buffer.from(bytesOf(values)), bytesOf(data.subarray(first * size, first * size + values.length)))).toBe(0); // prettier-ignore
    next += values.length / size;
  }
  expect(next).toBe(rows);
});

test('bytes come whole, in steps', () => {
  const data = Uint8Array.from({ length: 10 }, (_, i) => i);
  const { source, view } = open({ w: { shape: [10], data, dtype: 'I8' } });
  expect([...source.readBytes(view('w'), 4)].map((bytes) => [...bytes])).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]);
});

test('a vector is read as a whole, in any float format', () => {
  const { source, view } = open({
    f32: { shape: [3], data: Float32Array.of(1, -2, 3) },
    bf16: { shape: [2], data: new Uint8Array(Uint16Array.of(0x3f80, 0xc000).buffer), dtype: 'BF16' },
    matrix: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
  });
  expect(['f32', 'bf16', 'matrix'].map((name) => [...source.readAll(view(name))])).toEqual([
    [1, -2, 3],
    [1, -2],
    [1, 2, 3, 4],
  ]);
});

test('a tensor without rows gives none', () => {
  const { source, view } = open({ w: { shape: [0, 4], data: new Float32Array(0) } });
  expect([...source.readRows(view('w'))]).toEqual([]);
});

test('whole numbers are no weights', () => {
  const { source, view } = open({ ids: { shape: [4], data: new Uint8Array(4), dtype: 'I8' } });
  expect(() => [...source.readRows(view('ids'))]).toThrow(
    new WeightFileError('Expected the tensor ids in floats, got I8.'),
  );
});

test('a tensor that leaves its file is an error', () => {
  const { source, view } = open({ w: { shape: [2, 2], data: new Float32Array(4) } });
  const past = { ...view('w'), offset: view('w').offset + 4 };
  expect(() => [...source.readRows(past)]).toThrow(WeightFileError);
});

function open(tensors: Readonly<Record<string, FileTensor>>) {
  const folder = tempFolder();
  writeSafetensors(folder, tensors);
  const index = readTensorIndex(folder);
  const source = new TensorRows();
  onTestFinished(() => source.close());
  return { source, view: (name: string) => index.get(name)! };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
