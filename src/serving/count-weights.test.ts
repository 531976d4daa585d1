import { expect, test } from 'vitest';
import { elementBytes, type ElementType } from '../store/safetensors.ts';
import { countByType, countParameters, countWeightBytes, findMainType } from './count-weights.ts';

function modelOf(...tensors: readonly (readonly [ElementType, ...number[]])[]) {
  const views = tensors.map(([type, ...shape], index) => {
    const byteLength = shape.reduce((product, size) => product * size, elementBytes[type]);
    return [`${index}`, { name: `${index}`, type, shape, file: '/a', offset: 0, byteLength }] as const;
  });
  return { tensors: new Map(views) };
}

const graph = { name: 'g', inputs: [], outputs: [], nodes: [], initializers: [] };
const mixed = modelOf(['F32', 10], ['F16', 10, 30], ['I64', 1000], ['F32', 20], ['F16', 5]);

test('numbers are counted by format, most first; tables of whole numbers are no parameters', () => {
  expect(countByType(mixed)).toEqual([
    ['I64', 1000],
    ['F16', 305],
    ['F32', 30],
  ]);
  expect(countParameters(mixed)).toBe(335);
  expect(findMainType(mixed)).toBe('F16');
});

test('a model without weights has no format', () => {
  expect(findMainType(modelOf(['I64', 3]))).toBe('none');
});

test('float32 takes four bytes for each number, float16 what is stored', () => {
  expect(countWeightBytes(mixed, 'float32', { graph, derivations: [] })).toBe(335 * 4);
  expect(countWeightBytes(mixed, 'float16', { graph, derivations: [] })).toBe(305 * 2 + 30 * 4 + 8000);
});

test('a model of which nothing is quantised takes what it takes in float32', () => {
  expect(countWeightBytes(mixed, 'int8', { graph, derivations: [] })).toBe(335 * 4);
});

test('quantised weights take little more than their codes', () => {
  const from = modelOf(['F16', 1000, 64]).tensors.get('0')!;
  const bytes = countWeightBytes(mixed, 'int8', {
    graph,
    derivations: [{ kind: 'int8-rows', from, codes: 'codes', scales: 'scales' }],
  });
  expect(bytes).toBeGreaterThanOrEqual(64_000 + 4000);
  expect(bytes).toBeLessThan(64_000 + 4000 + 1024);
});

test('weights in blocks take 4 bytes a block beside what lies in the file', () => {
  const from = modelOf(['BF16', 10, 70]).tensors.get('0')!;
  const names = { codes: 'c', scales: 's', zeroPoints: 'z' };
  const block = { kind: 'block-linear', bits: 4, blockSize: 32, from, ...names } as const;
  const bytes = countWeightBytes(mixed, 'int4', { graph, derivations: [block] });
  const inFile = 10 * 3 * (16 + 4) + 10 * 2;
  expect(bytes - inFile - 10 * 3 * 4).toBeGreaterThan(0); // the header
  expect(bytes - inFile - 10 * 3 * 4).toBeLessThan(1024);
});
