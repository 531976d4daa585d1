import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noWeights, runBare, runGraph } from '../../tests/graph/run-graph.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import type { ElementType, TensorIndex, TensorView } from '../store/safetensors.ts';
import { GraphBuilder, WeightError } from './builder.ts';
import { type Graph, int } from './graph.ts';

function indexOf(
  tensors: Readonly<Record<string, { readonly type?: ElementType; readonly shape: readonly number[] }>>,
): TensorIndex {
  return new Map(
    Object.entries(tensors).map(([name, { type = 'F32', shape }]) => [
      name,
      { name, type, shape, file: '/f', offset: 8, byteLength: 4 },
    ]),
  );
}

function finish(g: GraphBuilder, body: (g: GraphBuilder) => ReturnType<GraphBuilder['op']>): Graph {
  return g.finish('test', [{ name: 'out', value: body(g) }]);
}

test('a node is named by its path and operator, and counted where that is taken', () => {
  const g = new GraphBuilder(noWeights);
  const x = g.input('x', 'float32', ['n']);
  const names = g.scope('a.b', () =>
    [g.op('Relu', [x]), g.scope('c', () => g.op('Relu', [x])), g.op('Relu', [x])].map(({ name }) => name),
  );
  expect(names).toEqual(['a.b/Relu', 'a.b/c/Relu', 'a.b/Relu_2']);
  expect(g.op('Relu', [x]).name).toBe('Relu');
});

test('a scope ends also when its body throws', () => {
  const g = new GraphBuilder(noWeights);
  expect(() =>
    g.scope('broken', () => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(g.op('Relu', [g.scalar(1)]).name).toBe('Relu');
});

test('a missing or mis-shaped tensor is named with both shapes', () => {
  const g = new GraphBuilder(indexOf({ w: { shape: [2, 3] } }));
  expect(() => g.weight('v', [4])).toThrow(WeightError);
  expect(() => g.weight('v', [4])).toThrow('Expected the tensor v [4] in the checkpoint, which has none of that name.');
  for (const shape of [[3, 2], [6], [2, 3, 1], []]) {
    expect(() => g.weight('w', shape)).toThrow(WeightError);
    expect(() => g.weight('w', shape)).toThrow(`Expected the tensor w as [${shape.join(', ')}], got [2, 3].`);
  }
  expect([g.hasWeight('w'), g.hasWeight('v')]).toEqual([true, false]);
});

test('the error for a missing tensor names those most like it', () => {
  const names = ['lm_head.weight', 'model.layers.0.q.weight', 'model.layers.1.k.weight', 'model.layers.1.q.bias'];
  const g = new GraphBuilder(indexOf(Object.fromEntries(names.map((name) => [name, { shape: [1] }]))));
  expect(() => g.weight('layers.1.q.weight', [1])).toThrow(
    'The nearest of its 4 names: model.layers.0.q.weight, lm_head.weight, model.layers.1.k.weight.',
  );
  expect(() => new GraphBuilder(noWeights).weight('w', [1])).toThrow('It holds no tensors.');
});

test('a tensor whose axes lie in another order in the file, and one of float64, are the numbers that they stand for', async () => {
  const folder = tempFolder();
  // [3, 1, 2] in the order of the axes 2, 1, 0
  const turned = Float32Array.of(0, 10, 20, 1, 11, 21);
  const wide = Float64Array.of(0.5, 0.25, 0.125, 1, 2, 4);
  writeFileSync(join(folder, 'w.bin'), Buffer.concat([Buffer.from(turned.buffer), Buffer.from(wide.buffer)]));
  const view = { file: join(folder, 'w.bin'), shape: [3, 1, 2] };
  const g = new GraphBuilder(
    new Map<string, TensorView>([
      ['turned', { ...view, name: 'turned', type: 'F32', offset: 0, byteLength: 24, axesInFile: [2, 1, 0] }],
      ['wide', { ...view, name: 'wide', type: 'F64', offset: 24, byteLength: 48 }],
    ]),
  );
  const get = (name: string) => g.weight(name, [3, 1, 2]);
  const graph = finish(g, () => g.op('Add', [g.op('Mul', [get('turned'), get('turned')]), get('wide')]));
  expect(graph.nodes.filter(({ op }) => op === 'Transpose')).toHaveLength(1);
  const { out } = await runGraph(graph, folder, [[0]]);
  expect(out).toEqual({ shape: [3, 1, 2], values: [0.5, 1.25, 100.125, 122, 402, 445] });
});

test('rows of a tensor are the same whether its axes lie in order in the file or not', async () => {
  const folder = tempFolder();
  const [straight, turned] = [Float32Array.of(0, 1, 10, 11, 20, 21), Float32Array.of(0, 10, 20, 1, 11, 21)];
  writeFileSync(join(folder, 'w.bin'), Buffer.concat([Buffer.from(straight.buffer), Buffer.from(turned.buffer)]));
  const view = { type: 'F32', file: join(folder, 'w.bin'), shape: [3, 2], byteLength: 24 } as const;
  const g = new GraphBuilder(
    new Map<string, TensorView>([
      ['straight', { ...view, name: 'straight', offset: 0 }],
      ['turned', { ...view, name: 'turned', offset: 24, axesInFile: [1, 0] }],
    ]),
  );
  const rowsOf = (name: string) => g.weightRows(name, [3, 2], { from: 1, rows: 2 });
  const graph = finish(g, () =>
    g.op('Concat', [rowsOf('straight'), rowsOf('turned')], { attributes: { axis: int(1) } }),
  );
  const { out } = await runGraph(graph, folder, [[0]]);
  expect(out).toEqual({ shape: [2, 4], values: [10, 11, 10, 11, 20, 21, 20, 21] });
});

test('only floating-point formats are weights', () => {
  for (const type of ['I64', 'I32', 'I8', 'U8', 'BOOL', 'F8_E4M3'] as const) {
    const g = new GraphBuilder(indexOf({ w: { type, shape: [1] } }));
    expect(() => g.weight('w', [1])).toThrow(WeightError);
    expect(() => g.storedWeight('w', [1])).toThrow(`Expected the tensor w in F32, F16, BF16, F64, got ${type}.`);
  }
});

test('a 16-bit weight is one initializer and one cast, however often it is used', () => {
  const g = new GraphBuilder(indexOf({ w: { type: 'F16', shape: [1] }, f: { shape: [1] } }));
  const graph = finish(g, () =>
    g.op('Add', [g.op('Add', [g.weight('w', [1]), g.weight('w', [1])]), g.weight('f', [1])]),
  );
  expect(graph.initializers.map(({ name, dtype }) => [name, dtype])).toEqual([
    ['w', 'float16'],
    ['f', 'float32'],
  ]);
  expect(graph.nodes.map(({ op, dtype }) => [op, dtype])).toEqual([
    ['Cast', 'float32'],
    ['Add', 'float32'],
    ['Add', 'float32'],
    ['Identity', 'float32'],
  ]);
});

test('equal constants are shared, unequal ones and other types are not', () => {
  const g = new GraphBuilder(noWeights);
  expect(g.int64(1, 2).name).toBe(g.int64(1, 2).name);
  const names = [g.int64(1, 2), g.int64(12), g.int64(1), g.index(1), g.scalar(1), g.scalar(1e-12), g.int64()].map(
    ({ name }) => name,
  );
  expect(new Set(names).size).toBe(names.length);
  const { initializers } = finish(g, () => g.op('Neg', [g.scalar(1)]));
  expect(initializers).toHaveLength(names.length);
  expect(initializers.find(({ name }) => name === 'int64[1,2]')).toMatchObject({ dtype: 'int64', shape: [2] });
  expect(initializers.find(({ name }) => name === 'int64(1)')).toMatchObject({ dtype: 'int64', shape: [] });
});

test('a branch sees the values and constants of its parent, and its own names and constants collide with none', () => {
  const g = new GraphBuilder(indexOf({ w: { type: 'F16', shape: [1] } }));
  const condition = g.input('c', 'bool', []);
  const graph = finish(g, () => {
    const chosen = g.branch(
      condition,
      (then) => then.op('Add', [then.weight('w', [1]), then.scalar(2)]),
      (otherwise) => otherwise.op('Mul', [otherwise.weight('w', [1]), otherwise.scalar(2)]),
    );
    return g.op('Add', [chosen, g.weight('w', [1])]);
  });
  expect(graph.nodes.map(({ op }) => op)).toEqual(['If', 'Cast', 'Add', 'Identity']); // the cast of a branch is not visible outside it
  const branches = Object.values(graph.nodes[0]!.attributes).flatMap((attribute) =>
    attribute.kind === 'graph' ? [attribute.value] : [],
  );
  expect(branches.map(({ nodes }) => nodes.map(({ name }) => name))).toEqual([
    ['then/Cast', 'then/Add'],
    ['else/Cast', 'else/Mul'],
  ]);
  expect(branches.map(({ initializers }) => initializers)).toEqual([[], []]);
  expect(graph.initializers.map(({ name }) => name)).toEqual(['w', 'float32(2)']);
});

test('a branch may hand on a value of its parent', async () => {
  const give = (condition: number) =>
    runBare(tempFolder(), (g) => {
      const seven = g.op('Neg', [g.scalar(-7)]);
      return g.branch(
        g.cast(g.index(condition), 'bool'),
        () => seven,
        (otherwise) => otherwise.op('Neg', [otherwise.scalar(7)]),
      );
    });
  expect([(await give(1)).values, (await give(0)).values]).toEqual([[7], [-7]]);
});

test('branches of unequal type and operators without a type are bugs', () => {
  const g = new GraphBuilder(noWeights);
  expect(() =>
    g.branch(
      g.input('c', 'bool', []),
      (then) => then.scalar(1),
      (otherwise) => otherwise.index(1),
    ),
  ).toThrow(/float32, the other int64\. This is a bug\./);
  expect(() => g.op('RandomNormal', [])).toThrow(/This is a bug\./);
});

test('casting to the own type adds nothing', () => {
  const g = new GraphBuilder(noWeights);
  const x = g.scalar(1);
  expect(g.cast(x, 'float32')).toBe(x);
  expect(g.cast(x, 'int32')).toEqual({ name: 'Cast', dtype: 'int32' });
});

test('a finished graph does not change when the builder goes on', () => {
  const g = new GraphBuilder(noWeights);
  const graph = finish(g, () => g.op('Neg', [g.scalar(1)]));
  const before = structuredClone(graph);
  g.input('later', 'int32', []);
  g.op('Neg', [g.scalar(2)]);
  expect(graph).toEqual(before);
});
