import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { WeightError } from '../../graph/builder.ts';
import type { TensorIndex, TensorView } from '../../store/safetensors.ts';
import { readWeights } from '../../store/weight-files.ts';
import type { Pipeline, Step } from './pipeline.ts';

const isModuleWeight = /^(linear|residual|norm)\.(weight|bias)$/;
// Matrices of sentence vectors: 50 MB is the largest in use (1536 to 8192 in float32). They travel inside the graph,
// because ONNX Runtime takes the files it maps from one folder only.
const maxBytes = 512 * 1024 * 1024;

/**
 * The weights of a pipeline's steps with their bytes, named by module: `2_Dense.linear.weight`.
 * @throws WeightFileError, WeightError
 */
export function readModuleWeights(folder: string, { tokenSteps, steps }: Pipeline): TensorIndex {
  const paths = [...tokenSteps, ...steps].flatMap((step) => pathOf(step) ?? []);
  const weights = new Map<string, TensorView>();
  let totalBytes = 0;
  for (const path of new Set(paths)) {
    for (const view of readWeights(join(folder, path)).values()) {
      if (!isModuleWeight.test(view.name)) continue;
      totalBytes += view.byteLength;
      if (totalBytes > maxBytes)
        throw new WeightError(
          `Expected the steps after the model to have at most ${maxBytes} bytes of weights, got more.`,
        );
      weights.set(`${path}.${view.name}`, { ...view, bytes: readBytes(view) });
    }
  }
  return weights;
}

function pathOf(step: Step): string | undefined {
  return step.kind === 'normalize' ? undefined : step.path;
}

function readBytes({ name, file, offset, byteLength }: TensorView): Uint8Array {
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
