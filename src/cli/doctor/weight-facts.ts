import { basename, extname } from 'node:path';
import { statSync } from 'node:fs';
import type { TensorIndex } from '../../store/safetensors.ts';

export interface WeightFacts {
  /** Such as `safetensors`. */
  readonly format: string;
  readonly files: readonly string[];
  readonly sizeBytes: number;
  readonly tensors: number;
  /** Numbers in the weights; tables of whole numbers, such as position ids, are none. */
  readonly parameters: number;
  /** Numbers by the type they are stored in, most first. */
  readonly storedAs: Readonly<Record<string, number>>;
}

/** What the weights are, by the index of their tensors. */
export function describeWeights(tensors: TensorIndex): WeightFacts {
  const counts = new Map<string, number>();
  for (const { type, shape } of tensors.values())
    counts.set(type, (counts.get(type) ?? 0) + shape.reduce((product, size) => product * size, 1));
  const floats = [...counts].filter(([type]) => /F/.test(type)).toSorted(([, a], [, b]) => b - a);
  const files = [...new Set([...tensors.values()].map(({ file }) => file))];
  return {
    format: formatOf(files[0] ?? ''),
    files: files.map((file) => basename(file)),
    sizeBytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
    tensors: tensors.size,
    parameters: floats.reduce((sum, [, count]) => sum + count, 0),
    storedAs: Object.fromEntries(floats),
  };
}

/** Blobs of the Hugging Face cache have no extension. */
function formatOf(file: string): string {
  const formats: Readonly<Record<string, string>> = { '.bin': 'PyTorch', '.onnx': 'ONNX' };
  return formats[extname(file)] ?? 'safetensors';
}
