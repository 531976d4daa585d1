import { Session } from '../../src/engine/session.ts';
import type { GraphBuilder, Value } from '../../src/graph/builder.ts';
import { GraphBuilder as Builder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { declarePackedInputs, type PackedInputs } from '../../src/graph/packed-inputs.ts';
import { serialize } from '../../src/graph/serialize.ts';
import type { Batch } from '../../src/scheduler/batch.ts';
import { readTensorIndex, type TensorIndex } from '../../src/store/safetensors.ts';
import { type FileTensor, writeSafetensors } from './safetensors-file.ts';

export interface Output {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Runs a graph on the CPU over sequences of token ids; `weightsFolder` holds the files it names. */
export async function runGraph(
  graph: Graph,
  weightsFolder: string,
  ids: readonly (readonly number[])[],
): Promise<Readonly<Record<string, Output>>> {
  const session = await Session.load({
    model: serialize(graph),
    weightsFolder,
    threads: 1,
    provider: 'cpu',
    positions: { first: 0 },
  });
  try {
    const outputs = Object.entries(await session.dump(toBatch(ids)));
    return Object.fromEntries(
      outputs.map(([name, { dims, data }]) => [
        name,
        { shape: dims, values: Array.from(data as ArrayLike<number | bigint>, Number) },
      ]),
    );
  } finally {
    await session.close();
  }
}

/**
 * Builds `body` over the rows of a table and runs it: sequence `[3, 1]` is the rows 3 and 1. What `body` gives comes
 * back as one number list.
 */
export async function runOverRows(
  folder: string,
  rows: readonly (readonly number[])[],
  ids: readonly (readonly number[])[],
  body: (g: GraphBuilder, hidden: Value, inputs: PackedInputs) => Value,
): Promise<Output> {
  const size = rows[0]?.length ?? 0;
  const table: FileTensor = { shape: [rows.length, size], data: Float32Array.from(rows.flat()) };
  writeSafetensors(folder, { table });
  const g = new Builder(readTensorIndex(folder));
  const inputs = declarePackedInputs(g);
  const hidden = g.op('Gather', [g.weight('table', [rows.length, size]), inputs.inputIds]);
  const graph = g.finish('test', [{ name: 'out', value: body(g, hidden, inputs) }]);
  const { out } = await runGraph(graph, folder, ids);
  if (out === undefined) throw new Error('The graph gave no output.');
  return out;
}

/** Runs a graph made without a checkpoint. */
export async function runBare(folder: string, body: (g: GraphBuilder) => Value): Promise<Output> {
  const g = new Builder(noWeights);
  const graph = g.finish('test', [{ name: 'out', value: body(g) }]);
  const { out } = await runGraph(graph, folder, [[0]]);
  if (out === undefined) throw new Error('The graph gave no output.');
  return out;
}

export const noWeights: TensorIndex = new Map();

export function toBatch(ids: readonly (readonly number[])[]): Batch {
  const offsets = new Int32Array(ids.length + 1);
  for (const [row, sequence] of ids.entries()) offsets[row + 1] = offsets[row]! + sequence.length;
  return { ids: Int32Array.from(ids.flat()), offsets };
}

export function maxDifference(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((worst, value, index) => Math.max(worst, Math.abs(value - b[index]!)), 0);
}
