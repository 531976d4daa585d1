import { expect, test } from 'vitest';
import type { Precision } from '../graph/precision.ts';
import type { ElementType } from '../store/safetensors.ts';
import { choosePrecision, type PrecisionQuestion } from './choose-precision.ts';

const tensor = (type: ElementType, shape: readonly number[]) =>
  ({ name: 'w', type, shape, file: '/a', offset: 0, byteLength: 0 }) as const;
const onnx = { irVersion: 8, opsets: {}, functions: [] };

/** A checkpoint in `stored`, which has a norm in float32 and a table of positions beside it. */
function choose(stored: ElementType, more: Partial<PrecisionQuestion> = {}) {
  const tensors = new Map([
    ['weight', tensor(stored, [100, 100])],
    ['norm', tensor('F32', [100])],
    ['positions', tensor('I64', [100_000])],
  ]);
  return choosePrecision({
    entry: {},
    config: {},
    model: { tensors },
    graph: {},
    fits: true,
    ...more,
  } as PrecisionQuestion);
}

test('float32 is computed where nobody asks for less and there is room', () => {
  for (const stored of ['F32', 'F16', 'BF16', 'F64'] as const) expect(choose(stored)).toEqual({ precision: 'float32' });
});

test('weights that do not fit stay as they are stored where that is 16 bits', () => {
  const inLittle = (stored: ElementType) => choose(stored, { fits: false }).precision;
  expect((['F16', 'BF16', 'F32', 'F64'] as const).map(inLittle)).toEqual(['float16', 'float16', 'float32', 'float32']);
  expect(choose('F16', { fits: false, graph: { format: onnx } })).toEqual({ precision: 'float32' });
});

test.each<['8bit' | '4bit', Precision]>([
  ['8bit', 'int8'],
  ['4bit', 'int4'],
])('bitsandbytes=%s means %s for every model, also one that fits', (bitsandbytes, precision) => {
  for (const fits of [true, false]) expect(choose('F32', { config: { bitsandbytes }, fits })).toEqual({ precision });
});

test('the line of the allowlist goes before the setting and before the memory', () => {
  for (const dtype of ['float32', 'float16', 'int8'] as const)
    expect(choose('F16', { entry: { dtype }, config: { bitsandbytes: '4bit' }, fits: false })).toEqual({
      precision: dtype,
    });
});

test.each(['F32', 'F64'] as const)('dtype=float16 of weights in %s is refused', (stored) => {
  const { problem } = choose(stored, { entry: { dtype: 'float16' } });
  expect(problem).toContain(`these are ${stored}; use dtype=float32 or int8`);
});

test('less than float32 of an ONNX file is refused, float32 is not', () => {
  const graph = { format: onnx };
  for (const dtype of ['float16', 'int8'] as const)
    expect(choose('F16', { entry: { dtype }, graph }).problem).toContain(`dtype=${dtype} is built for checkpoints`);
  expect(choose('F16', { config: { bitsandbytes: '4bit' }, graph }).problem).toContain('dtype=int4');
  expect(choose('F16', { entry: { dtype: 'float32' }, config: { bitsandbytes: '4bit' }, graph })).toEqual({
    precision: 'float32',
  });
});
