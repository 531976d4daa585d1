import { GraphBuilder, type Value } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { declarePackedInputs } from '../../src/graph/packed-inputs.ts';
import { readTensorIndex } from '../../src/store/safetensors.ts';
import { writeSafetensors } from './safetensors-file.ts';

/** Values of a layer of 4 inputs over the rows of a table, for tests of rewrites. */
export interface Layer {
  /** `[tokens, 4]` */
  readonly x: Value;
  /** `[6, 4]` */
  readonly weight: Value;
  /** `[6]` */
  readonly bias: Value;
  /** `[1, 6]` */
  readonly row: Value;
  /** `[tokens, 6]` */
  readonly residual: Value;
  /** `[6]` each */
  readonly scale: Value;
  readonly shift: Value;
}

const shapes = {
  table: [10, 4],
  weight: [6, 4],
  bias: [6],
  row: [1, 6],
  wide: [10, 6],
  scale: [6],
  shift: [6],
} as const;

/** Writes a checkpoint into `folder` and builds a graph over it. The numbers are the same each time. */
export function graphOverLayer(folder: string, body: (g: GraphBuilder, layer: Layer) => Value): Graph {
  let seed = 1;
  const next = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 - 0.5;
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce<number>((product, size) => product * size, 1);
    return [name, { shape, data: Float32Array.from({ length: count }, () => 4 * next()) }] as const;
  });
  writeSafetensors(folder, Object.fromEntries(tensors));
  const g = new GraphBuilder(readTensorIndex(folder));
  const { inputIds } = declarePackedInputs(g);
  const get = (name: keyof typeof shapes) => g.weight(name, shapes[name]);
  const rowsOf = (name: 'table' | 'wide') => g.op('Gather', [get(name), inputIds]);
  const layer = {
    x: rowsOf('table'),
    weight: get('weight'),
    bias: get('bias'),
    row: get('row'),
    residual: rowsOf('wide'),
    scale: get('scale'),
    shift: get('shift'),
  };
  return g.finish('test', [{ name: 'out', value: body(g, layer) }]);
}
