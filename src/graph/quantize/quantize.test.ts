import { expect, test } from 'vitest';
import { graphOver, runQuantized } from '../../../tests/graph/quantized-graph.ts';
import { runGraph } from '../../../tests/graph/run-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { GraphBuilder, Value } from '../builder.ts';
import type { Graph } from '../graph.ts';
import { layOut } from '../../quantization/layout.ts';
import { layerNorm } from '../layers/layer-norm.ts';
import { linear } from '../layers/linear.ts';
import { quantize } from './quantize.ts';

const [rows, size, outputs] = [10, 64, 48];
const shapes = {
  table: [rows, size],
  'a.weight': [outputs, size],
  'a.bias': [outputs],
  'b.weight': [outputs, size],
  'b.bias': [outputs],
  'norm.weight': [size],
  'norm.bias': [size],
  'other.weight': [size],
  'other.bias': [size],
};
const a = (g: GraphBuilder, x: Value) => linear(g, 'a', x, { inputs: size, outputs });
const b = (g: GraphBuilder, x: Value) => linear(g, 'b', x, { inputs: size, outputs });
const norm = (g: GraphBuilder, x: Value, path = 'norm') => layerNorm(g, path, x, { size, epsilon: 1e-5 });

/** What stands before a linear layer; each makes its rows quantised in another way. */
const befores: Readonly<Record<string, (g: GraphBuilder, x: Value) => Value>> = {
  'a plain value': (g, x) => g.op('Neg', [x]),
  'a norm': (g, x) => norm(g, x),
  GELU: (g, x) => g.op('Gelu', [x]),
  ReLU: (g, x) => g.op('Relu', [x]),
  'a gate': (g, x) => g.op('Mul', [x, g.op('Sigmoid', [x])]),
};
const bits = [8, 4] as const;
const cases = bits.flatMap((each) => Object.keys(befores).map((before) => [each, before] as const));

/**
 * How far products of random rows and weights of -1 to 1 may be off, in parts of the greatest: half a step of 1/127 of a
 * weight and of an input for each of 64 summands that add up as random ones do, and 4 bits with a step of 1/8.
 */
const tolerance = { 8: 0.02, 4: 0.2 } as const;

test.each(cases)('%i bits after %s: the product is close to that of floats', async (each, before) => {
  const folder = tempFolder();
  const graph = graphOver(folder, shapes, (g, x) => a(g, befores[before]!(g, x)));
  const { floats, quantized, ops } = await both(graph, each, folder, [[1, 2, 3], [7]]);
  expect(worst(floats, quantized)).toBeLessThan(tolerance[each] * largest(floats));
  expect(worst(floats, quantized)).toBeGreaterThan(0); // or nothing was quantised
  expect(ops).toContain(each === 8 && before !== 'a gate' ? 'MatMulIntegerToFloat' : 'MatMulNBits');
  expect(ops).not.toContain('Gemm');
});

test.each(cases)(
  '%i bits after %s: a row is the same alone and beside one 1000 times as loud',
  async (each, before) => {
    const folder = tempFolder();
    const louder = (name: string, data: Float32Array) => {
      if (name === 'table') for (let i = 0; i < size; i++) data[9 * size + i]! *= 1000;
    };
    const graph = graphOver(folder, shapes, (g, x) => a(g, befores[before]!(g, x)), louder);
    const alone = await runQuantized(quantize(graph, each, 'cpu'), folder, [[4]]);
    const beside = await runQuantized(quantize(graph, each, 'cpu'), folder, [[9, 4, 9]]);
    expect(beside['out']!.values.slice(outputs, 2 * outputs)).toEqual(alone['out']!.values);
  },
);

/** What makes a number of 2e38 so, and leaves others as they are: weights themselves are finite. */
const beyondFloats: Readonly<Record<string, (g: GraphBuilder, x: Value) => Value>> = {
  NaN: (g, x) => {
    const tenfold = g.op('Mul', [x, g.scalar(10)]);
    return g.op('Add', [x, g.op('Sub', [tenfold, tenfold])]);
  },
  Infinity: (g, x) => g.op('Mul', [g.op('Mul', [x, g.scalar(10)]), g.scalar(0.1)]),
};

// Of the others see quantizeInput.
const checked = cases.filter(([each, before]) => each === 4 || before === 'a plain value' || before === 'a gate');
test.each(checked)(
  '%i bits after %s: NaN and infinity come out as such, and only in their own row',
  async (each, before) => {
    for (const [value, beyond] of Object.entries(beyondFloats))
      for (const column of [0, 5, 31, 63]) {
        const folder = tempFolder();
        const spoil = (name: string, data: Float32Array) => {
          if (name === 'table') data[3 * size + column] = 2e38;
        };
        const graph = graphOver(folder, shapes, (g, x) => a(g, befores[before]!(g, beyond(g, x))), spoil);
        const { quantized } = await both(graph, each, folder, [[1, 3, 2]]);
        const finite = Array.from(
          { length: 3 },
          (_, row) => quantized.slice(row * outputs, (row + 1) * outputs).filter(Number.isFinite).length,
        );
        expect(finite, `${value} in column ${column}`).toEqual([outputs, 0, outputs]);
      }
  },
);

test.each(cases)('%i bits after %s: a row of zeros gives what floats give', async (each, before) => {
  const folder = tempFolder();
  const silence = (name: string, data: Float32Array) => {
    if (name === 'table') data.fill(0, 3 * size, 4 * size);
  };
  const graph = graphOver(folder, shapes, (g, x) => a(g, befores[before]!(g, x)), silence);
  const { floats, quantized } = await both(graph, each, folder, [[3]]);
  // The norm of zeros is its shift; all others leave zeros, of which the bias is left.
  expect(worst(floats, quantized)).toBeLessThan(before === 'a norm' ? tolerance[each] * largest(floats) : 1e-6);
});

test.each(bits)('%i bits: layers that share a weight share what is made of it', async (each) => {
  const folder = tempFolder();
  const graph = graphOver(folder, shapes, (g, x) => {
    const normed = norm(g, x);
    return g.op('Concat', [a(g, normed), b(g, normed), a(g, normed)], {
      attributes: { axis: { kind: 'int', value: 1 } },
    });
  });
  const { floats, quantized } = await both(graph, each, folder, [[1, 2, 3]]);
  expect(worst(floats, quantized)).toBeLessThan(tolerance[each] * largest(floats));
});

test.each(bits)('%i bits: a weight that is read after two norms, and after none, is made for each', async (each) => {
  const folder = tempFolder();
  const graph = graphOver(folder, shapes, (g, x) => {
    const parts = [
      a(g, norm(g, x)),
      a(g, norm(g, x, 'other')),
      a(g, g.op('Neg', [x])),
      a(g, norm(g, g.op('Neg', [x]))),
    ];
    return g.op('Concat', parts, { attributes: { axis: { kind: 'int', value: 1 } } });
  });
  const { floats, quantized } = await both(graph, each, folder, [[1, 2, 3]]);
  expect(worst(floats, quantized)).toBeLessThan(tolerance[each] * largest(floats));
  const { derivations } = quantize(graph, each, 'cpu');
  expect(derivations.length).toBe(each === 8 ? 3 : 1); // two layers behind one norm share theirs
});

test.each([
  [8, 'behind a norm', norm],
  [4, 'behind a norm', norm],
  [8, 'without one', (g: GraphBuilder, x: Value) => g.op('Abs', [x])],
] as const)(
  '%i bits: a layer %s that reads a value alone and one beside another layer do not mix',
  async (each, _name, before) => {
    const folder = tempFolder();
    const graph = graphOver(folder, shapes, (g, x) => {
      const [one, two] = [before(g, x), before(g, g.op('Neg', [x]))];
      return g.op('Concat', [a(g, one), b(g, one), a(g, two)], { attributes: { axis: { kind: 'int', value: 1 } } });
    });
    const { floats, quantized } = await both(graph, each, folder, [[1, 2, 3]]);
    expect(worst(floats, quantized)).toBeLessThan(tolerance[each] * largest(floats));
    const { derivations } = quantize(graph, each, 'cpu');
    const { sizeBytes, header, tensors } = layOut(derivations, 'file');
    const placedBytes = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, header.length);
    expect(sizeBytes).toBe(placedBytes); // no two tensors of one name
  },
);

test('an unquantised graph is left as it is', () => {
  const folder = tempFolder();
  const graph = graphOver(folder, { table: [rows, size] }, (g, x) => g.op('Neg', [x]));
  for (const each of bits) expect(quantize(graph, each, 'cpu')).toEqual({ graph, derivations: [] });
});

test('every value has one maker, which comes before its readers', () => {
  const graph = graphOver(tempFolder(), shapes, (g, x) => {
    const normed = norm(g, x);
    return g.op('Add', [a(g, g.op('Relu', [normed])), g.op('Add', [a(g, normed), b(g, normed)])]);
  });
  for (const provider of ['cpu', 'cuda'] as const)
    for (const each of bits) {
      const { graph: made, derivations } = quantize(graph, each, provider);
      const known = new Set([...made.inputs, ...made.initializers].map(({ name }) => name));
      for (const { name, inputs, outputs: results } of made.nodes) {
        for (const input of inputs) if (input !== '') expect([...known], name).toContain(input);
        for (const result of results) {
          expect([...known], name).not.toContain(result);
          known.add(result);
        }
      }
      expect(new Set(made.nodes.map(({ name }) => name)).size).toBe(made.nodes.length);
      expect(derivations.length).toBeGreaterThan(0);
    }
});

test('a GPU gets blocks only, and no passes that make up for what a CPU loses', () => {
  const graph = graphOver(tempFolder(), shapes, (g, x) => a(g, norm(g, x)));
  const ops = quantize(graph, 8, 'cuda').graph.nodes.map(({ op }) => op);
  expect(ops).toEqual(['Gather', 'LayerNormalization', 'MatMulNBits', 'Identity']);
});

async function both(graph: Graph, each: 4 | 8, folder: string, ids: readonly (readonly number[])[]) {
  const floats = await runGraph(graph, folder, ids);
  const made = quantize(graph, each, 'cpu');
  const quantized = await runQuantized(made, folder, ids);
  expect(quantized['out']!.shape).toEqual(floats['out']!.shape);
  return {
    floats: floats['out']!.values,
    quantized: quantized['out']!.values,
    ops: made.graph.nodes.map(({ op }) => op),
  };
}

function worst(one: readonly number[], other: readonly number[]): number {
  return one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);
}

function largest(values: readonly number[]): number {
  return worst(
    values,
    values.map(() => 0),
  );
}
