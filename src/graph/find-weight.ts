import type { TensorIndex, TensorView } from '../store/safetensors.ts';
import type { DType } from './graph.ts';
import { describeNearNames } from './near-names.ts';
import type { weightDTypes } from './types.ts';

export interface WantedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** The number formats it may have, with the graph's names for them. */
  readonly formats: typeof weightDTypes;
}

/** A tensor of a checkpoint and its number format, held to what a graph expects of it. `fail` makes the error. */
export function findWeight(
  weights: TensorIndex,
  { name, shape, formats }: WantedWeight,
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
  const dtype = formats[view.type];
  if (dtype === undefined)
    throw fail(
      `Expected the tensor ${name} in ${Object.keys(formats).join(', ')}, got ${view.type}. Quantised checkpoints are not computed.`,
    );
  return { view, dtype };
}
