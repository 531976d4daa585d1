import { expect, test } from 'vitest';
import { loadGoldens, maxAbsDifference } from './goldens.ts';

test('equal weights in F32, F16 and BF16 give different vectors, so conformance shows that each format was really read', () => {
  const [f32, f16, bf16] = ['tiny-bert', 'tiny-bert-sharded', 'tiny-bert-bf16'].map(
    (name) => loadGoldens(name)[40]!.vector,
  );
  expect(maxAbsDifference(f32!, f16!)).toBeGreaterThan(2e-5);
  expect(maxAbsDifference(f32!, bf16!)).toBeGreaterThan(2e-5);
});
