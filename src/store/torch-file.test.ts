import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import * as p from '../../tests/store/write-pickle.ts';
import { toZip, type ZipFile } from '../../tests/store/write-zip.ts';
import { WeightFileError } from './file-reader.ts';
import { readTorchFile } from './torch-file.ts';

const fileTimeoutMs = 30_000; // hundreds of files are written, on a disk that may be busy

const weightsOf = (name: string) =>
  fileURLToPath(new URL(`../../tests/goldens/models/weights/${name}/pytorch_model.bin`, import.meta.url));

const six = Buffer.from(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
const state = (...tensors: Buffer[]) => p.pickle(p.dict(...tensors.flatMap((each, i) => [p.text(`t${i}`), each])));
const archive = (pickle: Buffer, more: readonly ZipFile[] = [{ name: 'a/data/0', data: six }]) =>
  toZip([{ name: 'a/data.pkl', data: pickle }, ...more]);

function read(bytes: Uint8Array, path = join(tempFolder(), 'pytorch_model.bin')) {
  writeFileSync(path, bytes);
  return readTorchFile(path);
}

/** The format before PyTorch 1.6, by hand. */
function sequence(
  pickle: Buffer,
  { magic = 0x1950a86a20f9469cfc6cn, protocol = 1001, little = true, length = 6n } = {},
) {
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(length);
  const machine = p.pickle(p.dict(p.text('little_endian'), Buffer.from([little ? 0x88 : 0x89])));
  const head = [p.pickle(p.long(magic, 10)), p.pickle(p.int(protocol)), machine, pickle, p.pickle(p.list(p.text('0')))];
  return Buffer.concat([...head, count, six]);
}

const matrix = p.tensor({ shape: [2, 3], strides: [3, 1] });

test.each([
  ['zip', archive],
  ['sequence', sequence],
])('a tensor in a %s file is the byte range that holds it, offsets honoured', (_, write) => {
  const bytes = write(state(matrix, p.tensor({ shape: [2], strides: [1], offset: 3 })));
  const [whole, part] = read(bytes);
  expect(whole).toMatchObject({ name: 't0', type: 'F32', shape: [2, 3], byteLength: 24 });
  expect(bytes.subarray(whole!.offset, whole!.offset + 24).equals(six)).toBe(true);
  expect(part).toMatchObject({ shape: [2], byteLength: 8, offset: whole!.offset + 12 });
});

test('a turned tensor says the order of its axes in the file; axes of length 1 have none', () => {
  const views = read(
    archive(
      state(
        p.tensor({ shape: [3, 2], strides: [1, 3] }),
        p.tensor({ shape: [1, 6], strides: [1, 1] }),
        p.tensor({ shape: [3, 1, 2], strides: [1, 9, 3] }),
        p.tensor({ shape: [], strides: [] }),
      ),
    ),
  );
  expect(views.map(({ shape, axesInFile }) => [shape, axesInFile])).toEqual([
    [
      [3, 2],
      [1, 0],
    ],
    [[1, 6], undefined],
    [
      [3, 1, 2],
      [2, 1, 0],
    ],
    [[], undefined],
  ]);
});

test('tied tensors share their bytes, other values are left out, one wrapper is seen through', () => {
  const twice = Buffer.concat([p.text('a'), matrix, Buffer.from('q\x07'), p.text('b'), Buffer.from('h\x07')]);
  const whole = p.pickle(p.dict(p.text('epoch'), p.int(3), p.text('state_dict'), p.dict(twice, p.text('c'), p.none)));
  const [a, b, ...rest] = read(archive(whole));
  expect([a!.name, b!.name, rest]).toEqual(['a', 'b', []]);
  expect({ ...b, name: 'a' }).toEqual(a);
});

test('files that PyTorch wrote give their tensors, decoys of the same dictionary included', () => {
  const views = readTorchFile(weightsOf('bin'));
  const typeOf = (name: string) => views.find((view) => view.name === name)?.type;
  expect(typeOf('encoder.layer.0.output.dense.bias')).toBe('BF16');
  expect(typeOf('encoder.layer.0.output.LayerNorm.weight')).toBe('F64');
  expect(typeOf('embeddings.position_ids')).toBe('I64');
  expect(typeOf('pooler.dense.weight')).toBe('F16');
  const legacy = readTorchFile(weightsOf('bin-legacy'));
  expect(legacy.find(({ axesInFile }) => axesInFile !== undefined)?.name).toMatch(/value\.weight$/);
});

const system = p.global('os', 'system');
const ofNames = (...names: string[]) => Buffer.concat([...names.map(p.text), Buffer.from([0x93])]);
const calls: readonly [string, Buffer, string][] = [
  ['os.system by GLOBAL', p.call(system, p.text('true')), 'os.system'],
  ['os.system by STACK_GLOBAL', p.call(ofNames('os', 'system'), p.text('true')), 'os.system'],
  ['os.system by INST', Buffer.concat([p.mark, p.text('true'), Buffer.from('ios\nsystem\n')]), 'os.system'],
  ['builtins.eval', p.call(p.global('builtins', 'eval'), p.text('1')), 'builtins.eval'],
  ['__builtin__.getattr', p.call(p.global('__builtin__', 'getattr'), p.text('a')), '__builtin__.getattr'],
  ['a class that is never called', p.global('subprocess', 'Popen'), 'subprocess.Popen'],
  ['a name with dots', ofNames('torch', '_utils.os.system'), 'torch._utils.os.system'],
  ['a prototype of JavaScript', p.call(p.global('constructor', 'constructor')), 'constructor.constructor'],
];

test.each(calls)('%s is refused by name', (_, code, name) => {
  const message = `Expected a state dict of tensors; `;
  for (const bytes of [archive(state(code)), sequence(state(code)), sequence(p.pickle(code))]) {
    expect(() => read(bytes)).toThrow(WeightFileError);
    expect(() => read(bytes)).toThrow(message);
    expect(() => read(bytes)).toThrow(`wants to use "${name}", which is refused`);
  }
});

test.each<[string, Buffer, RegExp]>([
  ['a call of a type', p.call(p.global('torch', 'FloatStorage'), p.int(1)), /call of an allowed global/],
  ['a call of a tensor', p.call(matrix, p.int(1)), /call of an allowed global/],
  ['NEWOBJ', Buffer.concat([p.global('torch', 'Size'), p.emptyTuple, Buffer.from([0x81])]), /opcodes.*0x81/],
  ['an extension', Buffer.from([0x82, 1]), /opcodes.*0x82/],
  ['a text of 4 GB', Buffer.from('X\xff\xff\xff\xff', 'latin1'), /at most 2000000/],
  ['a text of 2^64 bytes', Buffer.from([0x8d, ...Array.from({ length: 8 }, () => 255)]), /at most 2000000/],
  ['more bytes than any state dict', Buffer.alloc(2_000_001, 'N'), /at most 2000000/],
  ['an integer of 255 bytes', Buffer.from([0x8a, 255]), /integers of at most/],
  ['a memo never written', Buffer.from('j\xff\xff\xff\x7f', 'latin1'), /remembered/],
  ['an empty stack', Buffer.from('0000'), /on the stack/],
  ['no mark', Buffer.from('t'), /a mark/],
  ['items of no dictionary', Buffer.from('N(NNu'), /dictionary to fill/],
  ['a storage of no type', Buffer.concat([p.tuple(p.text('storage'), p.none), Buffer.from('Q')]), /persistent id/],
  ['65 axes', p.tensor({ shape: Array(65).fill(1), strides: Array(65).fill(1) }), /at most 64 sizes/],
  ['a negative size', p.tensor({ shape: [-1], strides: [1] }), /expected a storage, an offset/],
  ['gaps between rows', p.tensor({ shape: [2, 2], strides: [3, 1] }), /"t0".*\.contiguous\(\)/],
  ['a repeated row', p.tensor({ shape: [9, 6], strides: [0, 1] }), /"t0".*\.contiguous\(\)/],
  ['more than its storage', p.tensor({ shape: [7], strides: [1] }), /"t0".*expected 7 numbers/],
  ['an end past its storage', p.tensor({ shape: [2], strides: [1], offset: 5 }), /"t0".*from 5/],
  [
    'a storage that lies',
    p.tensor({ shape: [9], strides: [1], length: 9 }),
    /"t0".*9 numbers of F32 in its storage of 24/,
  ],
  ['a product past all numbers', p.tensor({ shape: Array(9).fill(2 ** 30), strides: Array(9).fill(1) }), /"t0"/],
  ['another storage', p.tensor({ shape: [1], strides: [1], key: '9' }), /"t0".*storage "9"/],
  ['a path as storage', p.tensor({ shape: [1], strides: [1], key: '../data.pkl' }), /storage "\.\.\/data\.pkl"/],
  [
    'numbers of a type unknown here',
    p.tensor({ shape: [1], strides: [1], type: 'QInt8Storage' }),
    /torch\.QInt8Storage/,
  ],
])('%s is refused', (_, code, message) => {
  expect(() => read(archive(state(code)))).toThrow(WeightFileError);
  expect(() => read(archive(state(code)))).toThrow(message);
});

/** A tuple of two of a tuple of two, sixty deep: small as a pickle, endless for whoever walks it. */
const bomb = Buffer.from(`N${'q\x00h\x00\x86'.repeat(60)}`, 'latin1');

const copy = Buffer.concat([p.global('collections', 'OrderedDict'), Buffer.from('h\x01\x85R0', 'latin1')]);
const pairBomb = p.pickle(
  p.list(...Array.from({ length: 1000 }, () => p.tuple(p.none, p.none))),
  Buffer.from('q\x01'),
  ...Array.from({ length: 1001 }, () => copy),
);

test.each<[string, Buffer, RegExp]>([
  ['big-endian numbers', archive(state(matrix), [{ name: 'a/byteorder', data: Buffer.from('big') }]), /little-endian/],
  ['big-endian numbers of old', sequence(state(matrix), { little: false }), /little-endian/],
  ['no pickle', toZip([{ name: 'a/data/0', data: six }]), /one data\.pkl.*got 0/],
  ['two pickles', archive(state(matrix), [{ name: 'b/data.pkl', data: six }]), /one data\.pkl.*got 2/],
  ['a program', archive(state(matrix), [{ name: 'a/constants.pkl', data: six }]), /TorchScript/],
  ['a key that holds itself 2^60 times', archive(p.pickle('}', bomb, 'Ns')), /dictionary of tensors/],
  ['a global named by such a value', archive(p.pickle(bomb, bomb, '\x93')), /name of a global/],
  ['a storage of such a value', archive(p.pickle(bomb, 'Q')), /persistent id/],
  ['one list of pairs copied without end', archive(pairBomb), /1000000 pairs/],
  ['a list', archive(p.pickle(p.list(matrix))), /dictionary of tensors/],
  ['settings', archive(p.pickle(p.dict(p.text('lr'), p.int(1)))), /dictionary of tensors.*lr/],
  ['another magic number', sequence(state(matrix), { magic: 7n }), /magic number/],
  ['another protocol', sequence(state(matrix), { protocol: 7 }), /protocol 1001/],
  ['a length past the file', sequence(state(matrix), { length: 7n }), /too short/],
  ['a length past all files', sequence(state(matrix), { length: 2n ** 63n }), /too short/],
  ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /Git LFS/],
  ['nothing', Buffer.alloc(0), /magic number/],
])('a file of %s is refused', (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(WeightFileError);
  expect(() => read(bytes)).toThrow(message);
});

const isUsable = (bytes: Uint8Array, path: string): void => {
  try {
    for (const { offset, byteLength, shape } of read(bytes, path)) {
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(offset + byteLength).toBeLessThanOrEqual(bytes.length);
      expect(shape.every((size) => Number.isSafeInteger(size) && size >= 0)).toBe(true);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(WeightFileError);
  }
};

test.each(['bin', 'bin-legacy', 'bin-wrapped'])(
  'a changed or cut %s gives an error or ranges inside the file',
  (name) => {
    const path = join(tempFolder(), 'pytorch_model.bin');
    const original = readFileSync(weightsOf(name));
    // Changes near the pickles: most bytes are numbers, where a change is no change.
    const end = name === 'bin-legacy' ? 12_000 : 16_000;
    const change = fc.record({
      at: fc.oneof(
        fc.nat({ max: end }),
        fc.nat({ max: 6000 }).map((back) => original.length - 1 - back),
      ),
      byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('(.0cRbQtu}]X\x93\x81'))),
    });
    const changed = fc.record({
      changes: fc.array(change, { minLength: 1, maxLength: 5 }),
      keep: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(changed, ({ changes, keep }) => {
        const bytes = Buffer.from(original);
        for (const { at, byte } of changes) bytes[at] = byte;
        isUsable(bytes.subarray(0, Math.floor(bytes.length * keep)), path);
      }),
      { numRuns: 80 },
    );
  },
  fileTimeoutMs,
);

test(
  'random opcodes give an error or a state dict',
  () => {
    const path = join(tempFolder(), 'pytorch_model.bin');
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(...Buffer.from('().0NtRbQ}]aesulq\x85\x86\x87\x94').values()).map((byte) => Buffer.from([byte])),
      fc.constantFrom(matrix, p.text('storage'), p.global('torch', 'FloatStorage'), p.dict(), p.int(1)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => isUsable(archive(p.pickle(...pieces)), path)),
      { numRuns: 250 },
    );
  },
  fileTimeoutMs,
);
