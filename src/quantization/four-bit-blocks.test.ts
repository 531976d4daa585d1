import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runGraph } from '../../tests/graph/run-graph.ts';
import { type DType, type Graph, type Initializer, int } from '../graph/graph.ts';
import {
  type BlockLayout,
  type BlockRows,
  fourBitRowSizes,
  QuantizationError,
  quantizeToFourBits,
} from './four-bit-blocks.ts';

const weight = fc.oneof(
  fc.float({ min: -1, max: 1, noNaN: true }),
  fc.float({ min: -1, max: 1, noNaN: true }).map((value) => Math.fround(value ** 9 * 50)), // heavy tails
  fc.constant(0),
);
const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 3 }), columns: fc.integer({ min: 1, max: 80 }) })
  .chain(({ rows, columns }) =>
    fc.record({
      columns: fc.constant(columns),
      blockSize: fc.constantFrom(16, 32, 64),
      weights: fc.array(weight, { minLength: rows * columns, maxLength: rows * columns }),
    }),
  );

test('the error is below that of rounding, for even, heavy-tailed and one-sided weights', () => {
  let ours = 0;
  let rounding = 0;
  const random = noise(1);
  for (const shape of [(x: number) => x, (x: number) => x ** 9, (x: number) => x + 0.5, (x: number) => Math.abs(x)]) {
    const weights = Float32Array.from({ length: 64 * 256 }, () => shape(random()));
    for (const blockSize of [16, 32, 64, 128]) {
      const layout = { columns: 256, blockSize };
      const back = dequantize(quantize(weights, layout), layout);
      const error = squaredError([...weights], back);
      const plain = squaredError([...weights], roundedToNearest([...weights], layout));
      expect(error).toBeLessThan(plain * 0.97);
      ours += error;
      rounding += plain;
    }
  }
  expect(ours).toBeLessThan(rounding * 0.92);
});

test('no matrix has a greater error than one rounded to the nearest of 16 even steps', () => {
  fc.assert(
    fc.property(matrix, ({ weights, ...layout }) => {
      const back = dequantize(quantize(Float32Array.from(weights), layout), layout);
      const plain = squaredError(weights, roundedToNearest(weights, layout));
      expect(squaredError(weights, back)).toBeLessThanOrEqual(plain * 1.000001 + 1e-9);
    }),
    { numRuns: 2000 },
  );
});

test('zeros stay zeros, and so do the zeros among other weights', () => {
  const layout = { columns: 32, blockSize: 16 };
  const weights = Float32Array.from({ length: 32 }, (_, i) => (i < 16 ? 0 : i % 4 === 0 ? 0 : i));
  const back = dequantize(quantize(weights, layout), layout);
  for (const [i, value] of back.entries()) if (weights[i] === 0) expect(value).toBe(0);
});

test.each([3, -3, 1e-20, 1e30])('a block of one number, %d, comes back', (value) => {
  const layout = { columns: 40, blockSize: 32 };
  const back = dequantize(quantize(new Float32Array(40).fill(value), layout), layout);
  for (const number of back) expect(number / value).toBeCloseTo(1, 6);
});

test('numbers too small for a scale become zeros', () => {
  const layout = { columns: 16, blockSize: 16 };
  expect(dequantize(quantize(new Float32Array(16).fill(1e-45), layout), layout)).toEqual(
    Array.from({ length: 16 }, () => 0),
  );
});

test('columns that matter more have smaller errors', () => {
  const random = noise(2);
  const weights = Float32Array.from({ length: 64 * 128 }, random);
  const layout = { columns: 128, blockSize: 32 };
  const importance = Float32Array.from({ length: 128 }, (_, column) => (column % 8 === 0 ? 30 : 1));
  const weigh = (values: readonly number[]) => values.map((value, i) => value * Math.sqrt(importance[i % 128]!));
  const error = (back: readonly number[]) => squaredError(weigh([...weights]), weigh(back));
  const even = dequantize(quantize(weights, layout), layout);
  const weighed = dequantize(quantize(weights, { ...layout, importance }), layout);
  expect(error(weighed)).toBeLessThan(error(even) * 0.9);
});

test('rows come out the same a few at a time', () => {
  const layout = { columns: 50, blockSize: 16 };
  const weights = Float32Array.from({ length: 7 * 50 }, noise(3));
  const sizes = fourBitRowSizes(layout);
  const whole = quantize(weights, layout);
  const parts = room(7, layout);
  for (const [from, to] of [
    [0, 3],
    [3, 4],
    [4, 7],
  ] as const)
    // prettier-ignore
    quantizeToFourBits(weights.subarray(from * 50, to * 50), layout, {
      packed: parts.packed.subarray(from * sizes.packed, to * sizes.packed),
      scales: parts.scales.subarray(from * sizes.scales, to * sizes.scales),
      zeroPoints: parts.zeroPoints.subarray(from * sizes.zeroPoints, to * sizes.zeroPoints),
    });
  expect(parts).toEqual(whole);
});

test.each([NaN, Infinity, -Infinity])('%d is refused with its place', (value) => {
  const weights = new Float32Array(3 * 40).fill(1);
  weights[2 * 40 + 35] = value;
  expect(() => quantize(weights, { columns: 40, blockSize: 16 })).toThrow(
    `Expected finite weights, got ${value} in row 2 of these rows, column 35.`,
  );
});

test.each([NaN, Infinity, -1])('an importance of %d is refused', (value) => {
  const importance = Float32Array.of(1, value);
  const act = () => quantizeToFourBits(Float32Array.of(1, 2), { columns: 2, blockSize: 16, importance }, room(1, { columns: 2, blockSize: 16 })); // prettier-ignore
  expect(act).toThrow(
    new QuantizationError(
      `Expected the importance of a column to be a finite number, 0 or more, got ${value} for column 1.`,
    ),
  );
});

test('columns that cost nothing are no reason to fail', () => {
  const layout = { columns: 16, blockSize: 16, importance: new Float32Array(16) };
  const back = dequantize(quantize(Float32Array.from({ length: 16 }, noise(4)), layout), layout);
  expect(back.every(Number.isFinite)).toBe(true);
});

test.each([
  [64, 32],
  [70, 16], // a short last block, and an odd number of blocks
  [40, 32],
  [130, 128],
])('MatMulNBits multiplies by the same numbers: %d columns in blocks of %d', async (columns, blockSize) => {
  const rows = 24;
  const layout = { columns, blockSize };
  const random = noise(5);
  const weights = Float32Array.from({ length: rows * columns }, () => random() + 0.3); // zero points off the middle
  const quantized = quantize(weights, layout);
  const inputs = Float32Array.from({ length: 3 * columns }, random);
  const back = dequantize(quantized, layout);
  const expected = Array.from({ length: 3 * rows }, (_, at) => {
    const [m, n] = [Math.floor(at / rows), at % rows];
    return Array.from({ length: columns }, (__, k) => inputs[m * columns + k]! * back[n * columns + k]!).reduce((a, b) => a + b); // prettier-ignore
  });
  // Level 1 multiplies floats; level 4 rounds the inputs to 8 bits, block by block.
  for (const [level, tolerance] of [
    [1, 1e-5],
    [4, 0.05],
  ] as const) {
    const { out } = await runGraph(product(inputs, quantized, { rows, level, ...layout }), '', [[0, 1, 2]]);
    for (const [at, value] of out!.values.entries()) expect(Math.abs(value - expected[at]!)).toBeLessThan(tolerance);
  }
});

/** Rows of `inputs` by token id, times the quantised matrix. The input keeps the operator from being folded away. */
function product(
  inputs: Float32Array,
  { packed, scales, zeroPoints }: BlockRows,
  { rows, columns, blockSize, level }: BlockLayout & { readonly rows: number; readonly level: number },
): Graph {
  const constant = (
    name: string,
    dtype: DType,
    shape: readonly number[],
    data: Uint8Array | Float32Array,
  ): Initializer => ({
    name,
    dtype,
    shape,
    data: { kind: 'inline', bytes: new Uint8Array(data.buffer) },
  });
  const blocks = Math.ceil(columns / blockSize);
  const node = { domain: '', dtype: 'float32', attributes: {} } as const;
  return {
    name: 'product',
    inputs: [{ name: 'input_ids', dtype: 'int32', shape: ['tokens'] }],
    outputs: [{ name: 'out', dtype: 'float32' }],
    nodes: [
      { ...node, name: 'gather', op: 'Gather', inputs: ['inputs', 'input_ids'], outputs: ['rows'] },
      {
        ...node,
        name: 'product',
        op: 'MatMulNBits',
        domain: 'com.microsoft',
        inputs: ['rows', 'packed', 'scales', 'zeroPoints'],
        outputs: ['out'],
        attributes: {
          K: int(columns),
          N: int(rows),
          bits: int(4),
          block_size: int(blockSize),
          accuracy_level: int(level),
        },
      },
    ],
    initializers: [
      constant('inputs', 'float32', [inputs.length / columns, columns], inputs),
      constant('packed', 'uint8', [rows, blocks, blockSize / 2], packed),
      constant('scales', 'float32', [scales.length], scales),
      constant('zeroPoints', 'uint8', [zeroPoints.length], zeroPoints),
    ],
  };
}

function room(rows: number, layout: BlockLayout): BlockRows {
  const { packed, scales, zeroPoints } = fourBitRowSizes(layout);
  return {
    packed: new Uint8Array(rows * packed),
    scales: new Float32Array(rows * scales),
    zeroPoints: new Uint8Array(rows * zeroPoints),
  };
}

function quantize(weights: Float32Array, layout: BlockLayout & { readonly importance?: Float32Array }): BlockRows {
  const out = room(weights.length / layout.columns, layout);
  quantizeToFourBits(weights, layout, out);
  return out;
}

/** As the operator's documentation puts it, number by number. */
function dequantize({ packed, scales, zeroPoints }: BlockRows, { columns, blockSize }: BlockLayout): number[] {
  const blocks = Math.ceil(columns / blockSize);
  const half = (bytes: Uint8Array, index: number) => (bytes[index >> 1]! >> (4 * (index & 1))) & 15;
  return Array.from({ length: (scales.length / blocks) * columns }, (_, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    const block = Math.floor(column / blockSize);
    const code = half(packed, row * blocks * blockSize + column);
    return scales[row * blocks + block]! * (code - half(zeroPoints, row * 2 * Math.ceil(blocks / 2) + block));
  });
}

/** Asymmetric rounding: 16 even steps from the least to the greatest value of a block. */
function roundedToNearest(weights: readonly number[], { columns, blockSize }: BlockLayout): number[] {
  return weights.map((value, at) => {
    const start = at - ((at % columns) % blockSize);
    const end = Math.min(start + blockSize, at - (at % columns) + columns);
    const block = weights.slice(start, end);
    const [low, high] = [Math.min(0, ...block), Math.max(0, ...block)];
    const scale = (high - low) / 15 || 1;
    const zero = Math.round(-low / scale);
    return scale * (Math.max(0, Math.min(15, Math.round(value / scale + zero))) - zero);
  });
}

function squaredError(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
}

/** Numbers between -1 and 1, the same ones each time. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
