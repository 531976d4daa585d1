import { fromBinary } from '@bufbuild/protobuf';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { floats, toOnnx, type OnnxTensor } from '../../tests/graph/write-onnx.ts';
import { ModelProtoSchema } from '../graph/proto/onnx-ml_pb.js';
import { WeightFileError } from './file-reader.ts';
import { readOnnxFile } from './onnx-file.ts';

const fileTimeoutMs = 30_000; // hundreds of files are written, on a disk that may be busy

const numbers = Array.from({ length: 300 }, (_, index) => index / 2);
const large = floats('large', [30, 10], numbers);
const typed: OnnxTensor = { name: 'typed', dataType: 1, dims: [300n], floatData: numbers };
const model = (...tensors: OnnxTensor[]) =>
  toOnnx({
    inputs: [{ name: 'x', type: 1, shape: ['n'] }],
    outputs: [{ name: 'y', type: 1, shape: ['n'] }],
    nodes: [{ opType: 'Identity', input: ['x'], output: ['y'], name: 'node' }],
    tensors,
    more: { producerName: 'somebody' },
  });
const outside = (entries: Readonly<Record<string, string>>, more: OnnxTensor = {}): OnnxTensor => ({
  name: 'outside',
  dataType: 1,
  dims: [300n],
  dataLocation: 1,
  externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  ...more,
});

function read(bytes: Uint8Array, folder = tempFolder()) {
  writeFileSync(join(folder, 'model.onnx'), bytes);
  return readOnnxFile(join(folder, 'model.onnx'));
}

test.each([
  ['rawData', large, [30, 10]],
  ['floatData', typed, [300]],
])('a large initialiser in %s is a byte range of the file, and no longer in the model', (_, tensor, shape) => {
  const bytes = model(floats('small', [2], [1, 2]), tensor);
  const { skeleton, tensors } = read(bytes);
  const [view, another] = [...tensors.values()];
  expect(another).toBeUndefined();
  expect(view).toMatchObject({ name: tensor.name, type: 'F32', shape, byteLength: 1200 });
  const range = bytes.slice(view!.offset, view!.offset + 1200);
  expect([...new Float32Array(range.buffer)]).toEqual(numbers);
  const left = fromBinary(ModelProtoSchema, skeleton);
  expect(left.graph?.initializer.map(({ name }) => name)).toEqual(['small']);
  expect([left.producerName, left.irVersion, left.graph?.node[0]?.name]).toEqual(['somebody', 8n, 'node']);
});

test('data beside the file is a range of that file; a link into blobs is followed', () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'blobs'));
  writeFileSync(join(folder, 'blobs', 'hash'), Buffer.alloc(4000));
  symlinkSync(join(folder, 'blobs', 'hash'), join(folder, 'model.onnx_data'));
  const entries = { location: './model.onnx_data', offset: '2800', length: '1200' };
  expect(read(model(outside(entries)), folder).tensors.get('outside')).toMatchObject({
    file: expect.stringMatching(/blobs\/hash$/),
    offset: 2800,
    byteLength: 1200,
  });
  expect(read(model(outside({ location: 'model.onnx_data' })), folder).tensors.get('outside')).toMatchObject({
    offset: 0,
    byteLength: 1200,
  });
});

test.each<[string, OnnxTensor, RegExp]>([
  ['a path that climbs', outside({ location: '../secret' }), /plain name.*"\.\.\/secret"/],
  ['an absolute path', outside({ location: '/etc/passwd' }), /plain name/],
  ['a folder', outside({ location: 'sub/data' }), /plain name/],
  ['the folder itself', outside({ location: '..' }), /plain name/],
  ['a name with a null', outside({ location: 'a\0b' }), /plain name/],
  ['no name', outside({}), /plain name/],
  ['no such file', outside({ location: 'gone' }), /Expected a file .*gone/],
  ['an offset past the file', outside({ location: 'data', offset: '3000' }), /1200 bytes at 3000/],
  ['an offset below 0', outside({ location: 'data', offset: '-1' }), /whole number as offset/],
  ['a length unlike its shape', outside({ location: 'data', length: '4' }), /1200 bytes for the shape/],
  ['four-bit numbers', { ...large, dataType: 22 }, /8 bits or more, got the data type 22/],
  ['a shape unlike its numbers', { ...large, dims: [30n, 11n] }, /"large".*1320 bytes/],
  ['a negative size', { ...large, dims: [-1n, 300n] }, /"large"/],
  ['no name for itself', { ...large, name: '' }, /expected a name/],
  ['sixty-five axes', { ...large, dims: Array<bigint>(66).fill(1n) }, /at most/],
])('%s is refused', (_, tensor, message) => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'data'), Buffer.alloc(4000));
  expect(() => read(model(tensor), folder)).toThrow(WeightFileError);
  expect(() => read(model(tensor), folder)).toThrow(message);
});

test('a name twice is refused', () => expect(() => read(model(large, large))).toThrow(/"large" once/));

test('a model with more than 8 MB outside its initialisers is refused before it is read', () => {
  const bytes = Buffer.alloc(40_000_000);
  bytes.set(Buffer.from([0x12, ...varint(bytes.length - 6)])); // producer_name
  expect(() => read(bytes)).toThrow(/at most 8000000 bytes/);
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

test(
  'any change or cut of a file gives an error or ranges inside it',
  () => {
    const golden = fileURLToPath(new URL('../../tests/goldens/models/weights/onnx/onnx/model.onnx', import.meta.url));
    const originals = [model(large, typed, floats('small', [2], [1, 2])), readFileSync(golden)];
    const folder = tempFolder();
    const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    const keep = fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        fc.constantFrom(...originals),
        fc.array(change, { minLength: 1, maxLength: 5 }),
        keep,
        (original, changes, kept) => {
          const bytes = Buffer.from(original);
          for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
          const cut = bytes.subarray(0, Math.floor(bytes.length * kept));
          try {
            for (const { offset, byteLength } of read(cut, folder).tensors.values()) {
              expect(offset + byteLength).toBeLessThanOrEqual(cut.length);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(WeightFileError);
          }
        },
      ),
      { numRuns: 150 },
    );
  },
  fileTimeoutMs,
);
