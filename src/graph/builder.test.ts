import { expect, test } from 'vitest';
import { noWeights, runBare } from '../../tests/graph/run-graph.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import type { ElementType, TensorIndex } from '../store/safetensors.ts';
import { GraphBuilder, WeightError } from './builder.ts';
import type { Graph } from './graph.ts';

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

test('only floating-point formats are weights', () => {
  for (const type of ['F64', 'I64', 'I32', 'I8', 'U8', 'BOOL', 'F8_E4M3'] as const) {
    const g = new GraphBuilder(indexOf({ w: { type, shape: [1] } }));
    expect(() => g.weight('w', [1])).toThrow(WeightError);
    expect(() => g.storedWeight('w', [1])).toThrow(`Expected the tensor w in F32, F16, BF16, got ${type}.`);
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
