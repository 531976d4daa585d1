import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toSafetensors, withHeader, writeSafetensors } from '../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { WeightFileError } from './file-reader.ts';
import { readTensorIndex } from './safetensors.ts';

const fileTimeoutMs = 30_000; // hundreds of files are written, on a disk that may be busy

const f32 = (...values: number[]) => ({ shape: [values.length], data: Float32Array.from(values) });
const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

function indexOf(bytes: Uint8Array) {
  const folder = tempFolder();
  writeFileSync(join(folder, 'model.safetensors'), bytes);
  return readTensorIndex(folder);
}

/** A folder of shards; `weightMap` goes into the index as it is. */
function shardsOf(weightMap: unknown, files: Readonly<Record<string, Uint8Array>> = {}): string {
  const folder = join(tempFolder(), 'model');
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  return folder;
}

test('each tensor is the byte range of the file that holds its values', () => {
  const bytes = toSafetensors({
    a: f32(1, 2),
    empty: { shape: [0, 7], data: new Float32Array() },
    b: { shape: [2, 1], data: Uint8Array.of(7, 8, 9, 10), dtype: 'BF16' },
  });
  const index = indexOf(bytes);
  expect([...index.keys()].toSorted()).toEqual(['a', 'b', 'empty']);
  const { offset, byteLength, file, ...rest } = index.get('b')!;
  expect(rest).toEqual({ name: 'b', type: 'BF16', shape: [2, 1] });
  expect([...readFileSync(file).subarray(offset, offset + byteLength)]).toEqual([7, 8, 9, 10]);
  expect(index.get('empty')).toMatchObject({ shape: [0, 7], byteLength: 0 });
});

test('a scalar has no dimensions and the bytes of one element', () => {
  expect(indexOf(toSafetensors({ s: { shape: [], data: Float32Array.of(1) } })).get('s')).toMatchObject({
    shape: [],
    byteLength: 4,
  });
});

test('names that JavaScript objects have of their own are names like any other', () => {
  const header = `{"__proto__": ${JSON.stringify(entry(0, 4))}, "constructor": ${JSON.stringify(entry(4, 8))}}`;
  expect([...indexOf(withHeader(header, Buffer.alloc(8))).keys()]).toEqual(['__proto__', 'constructor']);
});

const eight = Buffer.alloc(8);
const length = (bytes: bigint) => {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(bytes);
  return prefix;
};

test.each<[string, Uint8Array, RegExp]>([
  ['an empty file', Buffer.alloc(0), /too short/],
  ['seven bytes', Buffer.alloc(7), /too short/],
  [
    'a Git LFS pointer',
    Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 90868376\n`),
    /Git LFS pointer/,
  ],
  ['a header longer than the file', Buffer.concat([length(64n), eight]), /header of 64 bytes/],
  ['a header of 2^64 - 1 bytes', Buffer.concat([length(2n ** 64n - 1n), eight]), /header of 1844\d+ bytes/],
  ['a header of no bytes', length(0n), /JSON/],
  ['a header that is not JSON', withHeader('{"a":'), /JSON/],
  ['a header that is not UTF-8', Buffer.concat([length(4n), Buffer.from([0x7b, 0xff, 0xfe, 0x7d])]), /JSON/],
  ['a list as header', withHeader([]), /object/],
  ['null as header', withHeader('null'), /object/],
  ['null as entry', withHeader({ a: null }), /Tensor "a".*dtype/],
  ['a list as entry', withHeader({ a: [] }), /Tensor "a".*dtype/],
  ['an unknown dtype', withHeader({ a: entry(0, 8, [2], 'F31') }, eight), /Tensor "a".*dtype.*"F31"/],
  ['a dtype from the prototype', withHeader({ a: entry(0, 8, [2], 'toString') }, eight), /dtype/],
  ['a negative size', withHeader({ a: entry(0, 8, [-2]) }, eight), /shape/],
  ['a fractional size', withHeader({ a: entry(0, 8, [0.5, 4]) }, eight), /shape/],
  ['a shape that is no list', withHeader({ a: entry(0, 8, { length: 1 }) }, eight), /shape/],
  ['a negative offset', withHeader({ a: entry(-8, 0, [2]) }, eight), /data_offsets/],
  ['three offsets', withHeader({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8, 8] } }, eight), /data_offsets/],
  ['offsets in the wrong order', withHeader({ a: entry(8, 0, [2]) }, eight), /8 bytes/],
  ['offsets that are not the size of the shape', withHeader({ a: entry(0, 8, [3]) }, eight), /12 bytes/],
  ['a shape larger than any file', withHeader({ a: entry(0, 8, Array(40).fill(2 ** 52)) }, eight), /bytes for shape/],
  ['tensors that overlap', withHeader({ a: entry(0, 8), b: entry(4, 8) }, eight), /Tensor "b".*follow/],
  ['two tensors over the same bytes', withHeader({ a: entry(0, 8), b: entry(0, 8) }, eight), /follow/],
  ['a hole between tensors', withHeader({ a: entry(0, 4), b: entry(8, 12) }, Buffer.alloc(12)), /Tensor "b".*follow/],
  ['bytes that no tensor owns', withHeader({ a: entry(0, 4) }, eight), /Expected .* to have \d+ bytes/],
  ['a file cut short', toSafetensors({ a: f32(1, 2, 3) }).subarray(0, -1), /partial download/],
  [
    'a name given twice, with other bytes',
    withHeader(`{"a": ${JSON.stringify(entry(0, 4))}, "a": ${JSON.stringify(entry(4, 8))}}`, eight),
    /follow/,
  ],
])('%s is refused', (_name, bytes, message) => {
  expect(() => indexOf(bytes)).toThrow(WeightFileError);
  expect(() => indexOf(bytes)).toThrow(message);
});

test('a hostile header does not become the message', () => {
  const huge = 'x'.repeat(1_000_000);
  for (const header of [{ [huge]: null }, { a: entry(0, 0, [huge]) }, { a: entry(0, 0, [0], huge) }]) {
    expect(() => indexOf(withHeader(header))).toThrow(/^[^]{1,600}$/);
  }
});

test('a folder without weights is refused, naming both files', () => {
  expect(() => readTensorIndex(tempFolder())).toThrow(/model\.safetensors or model\.safetensors\.index\.json/);
});

test('a folder or a pipe in place of the file is refused and does not block', () => {
  const asFolder = tempFolder();
  mkdirSync(join(asFolder, 'model.safetensors'));
  expect(() => readTensorIndex(asFolder)).toThrow(WeightFileError);
  const asPipe = tempFolder();
  execFileSync('sh', ['-c', 'mkfifo "$0"', join(asPipe, 'model.safetensors')]);
  expect(() => readTensorIndex(asPipe)).toThrow(WeightFileError);
});

test('a link is followed, and the view names the file behind it', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'blob'), toSafetensors({ a: f32(1) }));
  symlinkSync('blob', join(folder, 'model.safetensors'));
  expect(readTensorIndex(folder).get('a')?.file).toMatch(/\/blob$/);
});

test('shards are read together and each tensor comes from the shard that the index names', () => {
  const one = toSafetensors({ a: f32(1), both: f32(1, 1) });
  const two = toSafetensors({ b: f32(2), both: f32(2, 2), notListed: f32(3) });
  for (const shard of ['1.safetensors', '2.safetensors']) {
    const map = { both: shard, a: '1.safetensors', b: '2.safetensors' };
    const index = readTensorIndex(shardsOf(map, { '1.safetensors': one, '2.safetensors': two }));
    expect([...index.keys()].toSorted()).toEqual(['a', 'b', 'both']);
    expect(index.get('both')?.file).toMatch(new RegExp(`/${shard}$`));
  }
});

test.each<[string, unknown, RegExp]>([
  ['no weight_map', undefined, /weight_map/],
  ['a list as weight_map', ['x.safetensors'], /weight_map/],
  ['null as weight_map', null, /weight_map/],
  ['a shard that is no string', { a: 7 }, /weight_map/],
  ['a shard above the folder', { a: '../secret.safetensors' }, /plain names.*secret/],
  ['an absolute shard', { a: '/etc/secret.safetensors' }, /plain names/],
  ['the folder above as shard', { a: '..' }, /plain names/],
  ['an empty shard name', { a: '' }, /plain names/],
  ['a shard of another kind', { a: 'config.json' }, /plain names/],
  ['a NUL in a shard name', { a: 'x\0.safetensors' }, /plain names/],
  ['a shard that is not there', { a: 'gone.safetensors' }, /gone\.safetensors/],
  ['a tensor that its shard does not hold', { z: '1.safetensors' }, /"z" in 1\.safetensors/],
])('an index with %s is refused', (_name, weightMap, message) => {
  const folder = shardsOf(weightMap, { '1.safetensors': toSafetensors({ a: f32(1) }) });
  writeSafetensors(join(folder, '..'), { a: f32(1) }, 'secret.safetensors');
  expect(() => readTensorIndex(folder)).toThrow(WeightFileError);
  expect(() => readTensorIndex(folder)).toThrow(message);
});

test('an index that is not JSON is refused', () => {
  for (const text of ['', '{', 'null', '[]', '3', '\ufffd']) {
    const folder = tempFolder();
    writeFileSync(join(folder, 'model.safetensors.index.json'), text);
    expect(() => readTensorIndex(folder)).toThrow(WeightFileError);
  }
});

/** What a reader may do with bytes that are no safetensors file: refuse them, or give ranges inside the file. */
function expectSafe(bytes: Uint8Array, file: string, folder: string): void {
  writeFileSync(file, bytes);
  try {
    for (const { offset, byteLength } of readTensorIndex(folder).values()) {
      expect(offset).toBeGreaterThanOrEqual(8);
      expect(offset + byteLength).toBeLessThanOrEqual(bytes.length);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(WeightFileError);
  }
}

test(
  'random bytes and random headers give a WeightFileError or ranges inside the file',
  () => {
    const folder = tempFolder();
    const file = join(folder, 'model.safetensors');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectSafe(bytes, file, folder)),
      { numRuns: 300 },
    );
    const anEntry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'U8'), fc.jsonValue()),
        shape: fc.oneof(fc.array(fc.integer({ min: -1, max: 4 })), fc.jsonValue()),
        data_offsets: fc.oneof(
          fc.tuple(fc.integer({ min: -1, max: 20 }), fc.integer({ min: -1, max: 20 })),
          fc.jsonValue(),
        ),
      },
      { requiredKeys: [] },
    );
    const header = fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.oneof(anEntry, fc.jsonValue())));
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 20 }), (json, data) =>
        expectSafe(withHeader(json, data), file, folder),
      ),
      { numRuns: 300 },
    );
  },
  fileTimeoutMs,
);

test(
  'a valid file with one byte changed gives a WeightFileError or ranges inside the file',
  () => {
    const folder = tempFolder();
    const valid = toSafetensors({ a: f32(1, 2), b: { shape: [2, 2], data: Uint8Array.of(1, 2, 3, 4), dtype: 'U8' } });
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (position, value) => {
        const changed = Buffer.from(valid);
        changed[position] = value;
        expectSafe(changed, join(folder, 'model.safetensors'), folder);
      }),
      { numRuns: 300 },
    );
  },
  fileTimeoutMs,
);
