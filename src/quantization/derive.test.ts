import { expect, onTestFinished, test } from 'vitest';
import { type FileTensor, writeSafetensors } from '../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import type { BlockLinear, Derivation } from '../graph/derivation.ts';
import { readTensorIndex, type TensorIndex } from '../store/safetensors.ts';
import { derive } from './derive.ts';
import { layOut } from './layout.ts';
import { TensorRows } from './tensor-rows.ts';

const [outputs, inputs] = [9000, 40]; // more rows than fit into one chunk, and columns that fill no block
const weight = noise(outputs * inputs, 1);

test('a copy is the very bytes', () => {
  const views = checkpoint({ w: { shape: [outputs, inputs], data: weight } });
  const made = run({ kind: 'copy', from: views.get('w')!, to: 'there' });
  expect(Buffer.compare(made.get('there')!, new Uint8Array(weight.buffer))).toBe(0);
});

test('a table comes back within half a step of each row', () => {
  const views = checkpoint({ w: { shape: [outputs, inputs], data: weight } });
  const made = run({ kind: 'int8-rows', from: views.get('w')!, codes: 'codes', scales: 'scales' });
  const [codes, scales] = [int8(made, 'codes'), floats(made, 'scales')];
  for (const [at, value] of weight.entries()) {
    const scale = scales[Math.floor(at / inputs)]!;
    if (!(Math.abs(codes[at]! * scale - value) <= scale * 0.50001)) expect(codes[at]! * scale).toBe(value);
  }
});

test('linear layers that read one input: (x / s) · (s W) is x W up to half a step of each weight', () => {
  const [wide, narrow] = [noise(64 * inputs, 2), noise(32 * inputs, 3)];
  const gain = Float32Array.from(noise(inputs, 4), (value) => 1 + 20 * value ** 4);
  const shift = noise(inputs, 5);
  const views = checkpoint({
    wide: { shape: [64, inputs], data: wide },
    narrow: { shape: [32, inputs], data: narrow },
    gain: { shape: [inputs], data: gain },
    shift: { shape: [inputs], data: shift },
  });
  const view = (name: string) => views.get(name)!;
  const made = run({
    kind: 'int8-linears',
    linears: [
      { from: view('wide'), codes: 'wide codes', scales: 'wide scales' },
      { from: view('narrow'), codes: 'narrow codes', scales: 'narrow scales' },
    ],
    smoothing: { gain: view('gain'), shift: view('shift'), inverse: 'inverse' },
  });
  const inverse = floats(made, 'inverse');
  expect(new Set(inverse).size).toBeGreaterThan(inputs / 2); // or nothing was smoothed
  const x = noise(inputs, 6).map((value, i) => value * gain[i]! + shift[i]!);
  for (const [name, matrix, rows] of [
    ['wide', wide, 64],
    ['narrow', narrow, 32],
  ] as const) {
    const [codes, scales] = [int8(made, `${name} codes`), floats(made, `${name} scales`)];
    for (let row = 0; row < rows; row++) {
      let [product, exact, bound] = [0, 0, 0];
      for (let i = 0; i < inputs; i++) {
        const smoothed = x[i]! * inverse[i]!;
        product += smoothed * codes[i * rows + row]! * scales[row]!; // [inputs, outputs]
        exact += x[i]! * matrix[row * inputs + i]!;
        bound += (Math.abs(smoothed) * scales[row]!) / 2;
      }
      expect(Math.abs(product - exact)).toBeLessThanOrEqual(bound * 1.001);
    }
  }
});

test('without a norm nothing is smoothed, and a matrix of many chunks is turned as a whole', () => {
  const views = checkpoint({ w: { shape: [outputs, inputs], data: weight } });
  const made = run({
    kind: 'int8-linears',
    linears: [{ from: views.get('w')!, codes: 'codes', scales: 'scales' }],
  });
  expect([...made.keys()].toSorted()).toEqual(['codes', 'scales']);
  const [codes, scales] = [int8(made, 'codes'), floats(made, 'scales')];
  for (const [at, value] of weight.entries()) {
    const [row, column] = [Math.floor(at / inputs), at % inputs];
    const back = codes[column * outputs + row]! * scales[row]!;
    if (!(Math.abs(back - value) <= scales[row]! * 0.50001)) expect(back).toBe(value);
  }
});

test.each([4, 8] as const)('blocks of %d bits come back close, and the end of a row stands for 0', (bits) => {
  const views = checkpoint({ w: { shape: [outputs, inputs], data: weight } });
  const blocks: BlockLinear = {
    kind: 'block-linear',
    bits,
    blockSize: 32,
    from: views.get('w')!,
    codes: 'codes',
    scales: 'scales',
    zeroPoints: 'zeros',
  };
  const made = run(blocks);
  const [codes, scales] = [made.get('codes')!, floats(made, 'scales')];
  const half = (bytes: Uint8Array, index: number) => (bytes[index >> 1]! >> (4 * (index & 1))) & 15;
  for (let at = 0; at < outputs * 64; at++) {
    const [row, column] = [Math.floor(at / 64), at % 64];
    const block = row * 2 + (column >> 5);
    const code = bits === 8 ? codes[at]! - 128 : half(codes, at) - half(made.get('zeros')!, block);
    const value = column < inputs ? weight[row * inputs + column]! : 0;
    // The search of 4 bits may cut off what a smaller step makes up for.
    const most = scales[block]! * (bits === 8 ? 0.50001 : 1.6);
    if (!(Math.abs(code * scales[block]! - value) <= most)) expect(code * scales[block]!).toBe(value);
  }
  expect(made.has('zeros')).toBe(bits === 4);
});

test.each<[string, (from: Derivation & { kind: 'copy' }) => Derivation]>([
  ['as they are', (derivation) => derivation],
  ['rows', ({ from }) => ({ kind: 'int8-rows', from, codes: 'c', scales: 's' })],
  ['linears', ({ from }) => ({ kind: 'int8-linears', linears: [{ from, codes: 'c', scales: 's' }] })],
  ['4 bits', ({ from }) => ({ kind: 'block-linear', bits: 4, blockSize: 32, from, codes: 'c', scales: 's', zeroPoints: 'z' })], // prettier-ignore
  ['8 bits', ({ from }) => ({ kind: 'block-linear', bits: 8, blockSize: 32, from, codes: 'c', scales: 's', zeroPoints: 'z' })], // prettier-ignore
])('weights that are not finite are refused: %s', (_name, toDerivation) => {
  const views = checkpoint({ w: { shape: [2, 32], data: new Float32Array(64).fill(1).fill(NaN, 40, 41) } });
  expect(() => run(toDerivation({ kind: 'copy', from: views.get('w')!, to: 'w' }))).toThrow(/finite/);
});

function checkpoint(tensors: Readonly<Record<string, FileTensor>>): TensorIndex {
  const folder = tempFolder();
  writeSafetensors(folder, tensors);
  return readTensorIndex(folder);
}

/** The bytes of what one derivation makes, by name; each byte must be planned. */
function run(derivation: Derivation): ReadonlyMap<string, Uint8Array> {
  const { tensors } = layOut([derivation], 'file');
  const made = new Map([...tensors].map(([name, { byteLength }]) => [name, new Uint8Array(byteLength)]));
  const source = new TensorRows();
  onTestFinished(() => source.close());
  derive(derivation, source, { write: (name, bytes, at = 0) => made.get(name)!.set(bytes, at) });
  return made;
}

function floats(made: ReadonlyMap<string, Uint8Array>, name: string): Float32Array {
  return new Float32Array(made.get(name)!.buffer);
}

function int8(made: ReadonlyMap<string, Uint8Array>, name: string): Int8Array {
  return new Int8Array(made.get(name)!.buffer);
}

/** Numbers between -1 and 1, the same ones each time. */
function noise(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
