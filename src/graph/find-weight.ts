import type { TensorIndex, TensorView } from '../store/safetensors.ts';
import type { DType } from './graph.ts';
import { describeNearNames } from './near-names.ts';
import { weightDTypes } from './types.ts';

/** A tensor of a checkpoint and its number format, held to what a graph expects of it. `fail` makes the error. */
export function findWeight(
  weights: TensorIndex,
  name: string,
  shape: readonly number[],
  fail: (message: string) => Error,
): { readonly view: TensorView; readonly dtype: DType } {
  const sizes = `[${shape.join(', ')}]`;
  const view = weights.get(name);
  if (view === undefined) {
    const near = describeNearNames(name, [...weights.keys()]);
    throw fail(`Expected the tensor ${name} ${sizes} in the checkpoint, which has none of that name. ${near}`);
  }
  if (view.shape.join() !== shape.join())
    throw fail(`Expected the tensor ${name} as ${sizes}, got [${view.shape.join(', ')}].`);
  const dtype = weightDTypes[view.type];
  if (dtype === undefined)
    throw fail(
      `Expected the tensor ${name} in ${Object.keys(weightDTypes).join(', ')}, got ${view.type}. Quantised checkpoints are not computed.`,
    );
  return { view, dtype };
}
