import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GraphBuilder, type Value } from '../../src/graph/builder.ts';
import type { Derivation } from '../../src/graph/derivation.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { declarePackedInputs, type PackedInputs } from '../../src/graph/packed-inputs.ts';
import type { QuantizedGraph } from '../../src/graph/quantize/quantize.ts';
import { bindTensors, listCopies } from '../../src/quantization/bind.ts';
import { derive } from '../../src/quantization/derive.ts';
import { layOut } from '../../src/quantization/layout.ts';
import { TensorRows } from '../../src/quantization/tensor-rows.ts';
import { readTensorIndex, type TensorIndex } from '../../src/store/safetensors.ts';
import { writeSafetensors } from './safetensors-file.ts';
import { type Output, runGraph } from './run-graph.ts';

/** Makes the tensors of derivations in this process and writes them as the file `name` of a folder. */
function writeDerivations(
  folder: string,
  derivations: readonly Derivation[],
  name = 'quantized.safetensors',
): TensorIndex {
  const { header, sizeBytes, tensors } = layOut(derivations, join(folder, name));
  const file = Buffer.alloc(sizeBytes);
  file.set(header);
  const source = new TensorRows();
  for (const derivation of derivations)
    derive(derivation, source, {
      write: (tensor, bytes, at = 0) => file.set(bytes, tensors.get(tensor)!.offset + at),
    });
  source.close();
  writeFileSync(join(folder, name), file);
  return tensors;
}

/** The graph with everything it reads made and written into `folder`. */
export function makeWeights({ graph, derivations }: QuantizedGraph, folder: string): Graph {
  return bindTensors(graph, writeDerivations(folder, [...derivations, ...listCopies(graph)]));
}

/** Runs a quantised graph as the service does, over sequences of token ids. */
export async function runQuantized(
  quantized: QuantizedGraph,
  folder: string,
  ids: readonly (readonly number[])[],
): Promise<Readonly<Record<string, Output>>> {
  const graph = makeWeights(quantized, folder);
  const files = graph.initializers.flatMap(({ data }) => (data.kind === 'checkpoint' ? [data.view.file] : []));
  return runGraph(graph, dirname(files[0] ?? folder), ids);
}

/** Writes a checkpoint of random matrices and vectors into `folder`, and builds a graph over rows of its `table`. */
export function graphOver(
  folder: string,
  shapes: Readonly<Record<string, readonly number[]>>,
  body: (g: GraphBuilder, rows: Value, inputs: PackedInputs) => Value,
  change: (name: string, data: Float32Array) => void = () => {},
): Graph {
  const next = noise(1);
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, next);
    change(name, data);
    return [name, { shape, data }] as const;
  });
  writeSafetensors(folder, Object.fromEntries(tensors));
  const g = new GraphBuilder(readTensorIndex(folder));
  const inputs = declarePackedInputs(g);
  const rows = g.op('Gather', [g.weight('table', shapes['table']!), inputs.inputIds]);
  return g.finish('test', [{ name: 'out', value: body(g, rows, inputs) }]);
}

/** Numbers between -1 and 1, the same ones each time. */
export function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
