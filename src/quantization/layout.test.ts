import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import type { Derivation } from '../graph/derivation.ts';
import { elementBytes, readTensorIndex, type ElementType } from '../store/safetensors.ts';
import { layOut } from './layout.ts';

const side = fc.integer({ min: 1, max: 70 });
const matrix = fc
  .record({ type: fc.constantFrom<ElementType>('F32', 'F16', 'BF16', 'F64'), rows: side, size: side })
  .map(({ type, rows, size }) => view(type, [rows, size]));
const name = fc.string({ minLength: 1 }).filter((text) => text !== '__metadata__');

/** With a number before each name, so that no two are equal. */
const derivations: fc.Arbitrary<readonly Derivation[]> = fc
  .array(fc.record({ matrix, name, kind: fc.constantFrom('copy', 'rows', 'linears', 'smoothed', 4, 8) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) =>
    list.map(({ matrix: from, name: text, kind }, index): Derivation => {
      const [codes, scales] = [`${index} codes ${text}`, `${index} scales ${text}`];
      if (kind === 'copy') return { kind: 'copy', from, to: codes };
      if (kind === 'rows') return { kind: 'int8-rows', from, codes, scales };
      if (kind === 4 || kind === 8)
        return { kind: 'block-linear', bits: kind, blockSize: 32, from, codes, scales, zeroPoints: `${index} zeros` };
      const smoothing = { gain: view('F32', [from.shape[1]!]), inverse: `${index} inverse` };
      return {
        kind: 'int8-linears',
        linears: [{ from, codes, scales }],
        ...(kind === 'smoothed' ? { smoothing } : {}),
      };
    }),
  );

test('what is laid out is a safetensors file that reads back the same', () => {
  const folder = tempFolder();
  const file = join(folder, 'model.safetensors');
  fc.assert(
    fc.property(derivations, (list) => {
      const { header, sizeBytes, tensors } = layOut(list, file);
      const bytes = Buffer.alloc(sizeBytes);
      bytes.set(header);
      writeFileSync(file, bytes);
      expect(readTensorIndex(folder)).toEqual(tensors);
    }),
  );
});

test('every tensor begins at a multiple of the size of its numbers, and the first at one of 64 bytes', () => {
  fc.assert(
    fc.property(derivations, (list) => {
      const { header, tensors } = layOut(list, 'file');
      expect(header.length % 64).toBe(0);
      for (const { offset, type } of tensors.values()) expect(offset % elementBytes[type]).toBe(0);
    }),
  );
});

test('each kind gives its tensors, in the shapes that the graph has for them', () => {
  const from = view('F16', [40, 70]);
  const list: readonly Derivation[] = [
    { kind: 'copy', from, to: 'copy' },
    { kind: 'int8-rows', from, codes: 'table', scales: 'table scales' },
    {
      kind: 'int8-linears',
      linears: [{ from, codes: 'matrix', scales: 'matrix scales' }],
      smoothing: { gain: view('F16', [70]), inverse: 'inverse' },
    },
    { kind: 'block-linear', bits: 4, blockSize: 32, from, codes: '4', scales: '4 scales', zeroPoints: '4 zeros' },
    { kind: 'block-linear', bits: 8, blockSize: 32, from, codes: '8', scales: '8 scales', zeroPoints: '8 zeros' },
  ];
  const { tensors } = layOut(list, 'file');
  expect(Object.fromEntries([...tensors].map(([key, { type, shape }]) => [key, [type, ...shape]]))).toEqual({
    copy: ['F16', 40, 70],
    table: ['I8', 40, 70],
    'table scales': ['F32', 40],
    matrix: ['I8', 70, 40],
    'matrix scales': ['F32', 40],
    inverse: ['F32', 70],
    '4': ['U8', 40, 3, 16],
    '4 scales': ['F32', 120],
    '4 zeros': ['U8', 80],
    '8': ['U8', 40, 3, 32],
    '8 scales': ['F32', 120],
  });
});

function view(type: ElementType, shape: readonly number[]) {
  const byteLength = shape.reduce((product, size) => product * size, elementBytes[type]);
  return { name: 'w', type, shape, file: '/checkpoint', offset: 0, byteLength };
}
