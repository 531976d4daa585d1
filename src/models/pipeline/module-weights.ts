import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { WeightError } from '../../graph/builder.ts';
import type { TensorIndex, TensorView } from '../../store/safetensors.ts';
import { readTensorIndex } from '../../store/safetensors.ts';
import type { Pipeline, Step } from './pipeline.ts';

// Matrices of sentence vectors: 50 MB is the largest in use (1536 to 8192 in float32). They travel inside the graph,
// because ONNX Runtime takes the files it maps from one folder only.
const maxModuleBytes = 256 * 1024 * 1024;

/**
 * The weights of a pipeline's steps with their bytes, named by module: `2_Dense.linear.weight`.
 * @throws SafetensorsError, WeightError
 */
export function readModuleWeights(folder: string, { tokenSteps, steps }: Pipeline): TensorIndex {
  const paths = [...tokenSteps, ...steps].flatMap((step) => pathOf(step) ?? []);
  const weights = new Map<string, TensorView>();
  for (const path of new Set(paths)) {
    for (const view of readTensorIndex(join(folder, path)).values()) {
      weights.set(`${path}.${view.name}`, { ...view, bytes: readBytes(view) });
    }
  }
  return weights;
}

function pathOf(step: Step): string | undefined {
  return step.kind === 'normalize' ? undefined : step.path;
}

function readBytes({ name, file, offset, byteLength }: TensorView): Uint8Array {
  if (byteLength > maxModuleBytes)
    throw new WeightError(
      `Expected the tensor ${name} of ${file} to have at most ${maxModuleBytes} bytes, got ${byteLength}.`,
    );
  const bytes = new Uint8Array(byteLength);
  const descriptor = openSync(file, 'r');
  try {
    const read = readSync(descriptor, bytes, 0, byteLength, offset);
    if (read < byteLength)
      throw new WeightError(`Expected ${byteLength} bytes of the tensor ${name} in ${file}, got ${read}.`);
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}
