import { basename } from 'node:path';
import { statSync } from 'node:fs';
import { countByType, countParameters } from '../../serving/count-weights.ts';
import { findModelRoot } from '../../store/modules.ts';
import type { TensorIndex } from '../../store/safetensors.ts';
import { findWeightFiles } from '../../store/weight-files.ts';

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

/** What the weights of a folder are, by the index of their tensors. */
export function describeWeights(folder: string, tensors: TensorIndex): WeightFacts {
  const floats = countByType({ tensors }).filter(([type]) => /F/.test(type));
  const files = [...new Set([...tensors.values()].map(({ file }) => file))];
  return {
    format: formatNames[findWeightFiles(findModelRoot(folder).folder)?.format ?? 'safetensors'],
    files: files.map((file) => basename(file)),
    sizeBytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
    tensors: tensors.size,
    parameters: countParameters({ tensors }),
    storedAs: Object.fromEntries(floats),
  };
}

const formatNames = { safetensors: 'safetensors', pytorch: 'PyTorch', onnx: 'ONNX' } as const;
