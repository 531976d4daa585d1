import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import { int, ints } from '../graph.ts';
import { linear } from '../layers/linear.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { findValues } from './values.ts';

const shapes = Object.fromEntries(['query', 'key', 'value', 'out'].map((name) => [`${name}.weight`, [32, 32]]));

function found(body: (g: GraphBuilder, qkv: readonly [Value, Value, Value], inputs: PackedInputs) => Value) {
  const graph = graphOver(tempFolder(), { ...shapes, table: [10, 32] }, (g, x, inputs) => {
    const layer = (path: string, input: Value) => linear(g, path, input, { inputs: 32, outputs: 32, bias: false });
    const attended = body(g, [layer('query', x), layer('key', x), layer('value', x)], inputs);
    return layer('out', attended);
  });
  return [...findValues(graph)].map(({ name }) => name);
}

test('the third input of the operators of attention, behind views of it', () => {
  for (const op of ['MultiHeadAttention', 'GroupQueryAttention'])
    expect(
      found((g, [q, k, v]) =>
        g.op(op, [q, k, g.op('Reshape', [g.op('Transpose', [v]), g.int64(-1, 32)])], { domain: 'com.microsoft' }),
      ),
    ).toEqual(['value/Gemm']);
});

test('what a softmax is multiplied with', () => {
  expect(
    found((g, [q, k, v]) => {
      const scores = g.op('MatMul', [q, g.op('Transpose', [k], { attributes: { perm: ints([1, 0]) } })]);
      return g.op('MatMul', [g.op('Softmax', [scores], { attributes: { axis: int(-1) } }), v]);
    }),
  ).toEqual(['value/Gemm']);
});

test('inside branches too, where most attention stands', () => {
  expect(
    found((g, [q, k, v], { equalLengths }) =>
      g.branch(
        equalLengths,
        (then) => then.op('MultiHeadAttention', [q, k, v], { domain: 'com.microsoft' }),
        (otherwise) => otherwise.op('Neg', [q]),
      ),
    ),
  ).toEqual(['value/Gemm']);
});

test('a product that is none of attention has no values, nor has one whose values are computed', () => {
  expect(found((g, [q, k]) => g.op('MatMul', [q, k]))).toEqual([]);
  expect(
    found((g, [q, k, v]) => g.op('MultiHeadAttention', [q, k, g.op('Neg', [v])], { domain: 'com.microsoft' })),
  ).toEqual([]);
});
