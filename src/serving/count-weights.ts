import type { Precision } from '../graph/precision.ts';
import type { QuantizedGraph } from '../graph/quantize/quantize.ts';
import type { Derivation } from '../graph/derivation.ts';
import type { Model } from '../models/open-model.ts';
import { listCopies } from '../quantization/bind.ts';
import { layOut } from '../quantization/layout.ts';
import type { ElementType } from '../store/safetensors.ts';

/** The format of most numbers of the weights. */
export function findMainType(model: Pick<Model, 'tensors'>): string {
  return countByType(model).find(([type]) => type !== 'I64')?.[0] ?? 'none';
}

/** Numbers in the weights; tables of whole numbers, such as position ids, are none. */
export function countParameters(model: Pick<Model, 'tensors'>): number {
  return countByType(model).reduce((sum, [type, count]) => (type === 'I64' ? sum : sum + count), 0);
}

/** Numbers by the format they are stored in, most first. */
export function countByType({ tensors }: Pick<Model, 'tensors'>): readonly (readonly [ElementType, number])[] {
  const counts = new Map<ElementType, number>();
  for (const { type, shape } of tensors.values())
    counts.set(type, (counts.get(type) ?? 0) + shape.reduce((product, size) => product * size, 1));
  return [...counts].toSorted(([, a], [, b]) => b - a);
}

/** What the weights of one replica take in memory. */
export function countWeightBytes(
  model: Pick<Model, 'tensors'>,
  precision: Precision,
  { graph, derivations }: QuantizedGraph,
): number {
  if (derivations.length > 0)
    return layOut([...derivations, ...listCopies(graph)], '').sizeBytes + countBlockSums(derivations);
  if (precision === 'float16') return [...model.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  return countParameters(model) * Float32Array.BYTES_PER_ELEMENT;
}

/** Bytes that ONNX Runtime adds to weights in blocks when it packs them for a CPU: the sum of each block in float32. */
function countBlockSums(derivations: readonly Derivation[]): number {
  return derivations.reduce((sum, derivation) => {
    if (derivation.kind !== 'block-linear') return sum;
    const [outputs = 0, inputs = 0] = derivation.from.shape;
    return sum + outputs * Math.ceil(inputs / derivation.blockSize) * Float32Array.BYTES_PER_ELEMENT;
  }, 0);
}
