import { expect, test } from 'vitest';
import type { BlockLinear } from '../graph/derivation.ts';
import { countBlockSums } from './count-weights.ts';

test('weights in blocks take 4 bytes a block beside what lies in the file, those in rows nothing', () => {
  const from = { name: 'w', type: 'BF16', shape: [10, 70], file: 'f', offset: 0, byteLength: 1400 } as const;
  const blocks: BlockLinear = {
    kind: 'block-linear',
    bits: 4,
    blockSize: 32,
    from,
    codes: 'c',
    scales: 's',
    zeroPoints: 'z',
  };
  const rows = { kind: 'int8-rows', from, codes: 'c', scales: 's' } as const;
  expect(countBlockSums([blocks, rows])).toBe(10 * 3 * 4);
});
