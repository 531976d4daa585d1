import type { BlockLinear } from '../derivation.ts';
import type { Attribute } from '../graph.ts';
import { int } from '../graph.ts';
import type { Linear } from './linears.ts';
import type { NodeList } from './node-list.ts';

export const blockSize = 32;

/** How ONNX Runtime multiplies: on a CPU in 8 bit, with a scale for each block of a row of the input. */
const attributesOf = { cpu: { accuracy_level: int(4) }, cuda: {} } as const;

export function planBlocks({ weight }: Linear, bits: BlockLinear['bits']): BlockLinear {
  const name = `${weight.name}.int${bits}`;
  return {
    kind: 'block-linear',
    bits,
    blockSize,
    from: weight,
    codes: `${name}.blocks`,
    scales: `${name}.scales`,
    zeroPoints: `${name}.zero_points`,
  };
}

/**
 * What is to be added to products of a value: 0 for each row, and NaN for one that is not finite. On a CPU MatMulNBits
 * passes over NaN in 8-bit rows. `[tokens, 1]`; undefined where nothing is lost
 */
export function findNaN(
  list: NodeList,
  { node, input }: Linear,
  provider: keyof typeof attributesOf,
): string | undefined {
  if (provider !== 'cpu') return undefined;
  const sum = list.add(node, 'ReduceSum', [input, list.int64(-1)], { attributes: { keepdims: int(1) } });
  return list.add(node, 'Mul', [sum, list.float(0)]);
}

/** `MatMulNBits(x, blocks of W)` in place of `Gemm(x, W)`: a row is computed the same whatever else is in the batch. */
export function multiplyBlocks(
  list: NodeList,
  { node, input, bias, weight }: Linear,
  { bits, codes, scales, zeroPoints }: BlockLinear,
  { provider, nan }: { readonly provider: keyof typeof attributesOf; readonly nan: string | undefined },
): void {
  const [outputs = 0, inputs = 0] = weight.shape;
  const blocks = Math.ceil(inputs / blockSize);
  const attributes: Record<string, Attribute> = {
    K: int(inputs),
    N: int(outputs),
    bits: int(bits),
    block_size: int(blockSize),
    ...attributesOf[provider],
  };
  const operands = [
    input,
    list.derived(codes, 'uint8', [outputs, blocks, (blockSize * bits) / 8]),
    list.derived(scales, 'float32', [outputs * blocks]),
    bits === 4 ? list.derived(zeroPoints, 'uint8', [outputs * Math.ceil(blocks / 2)]) : '',
    '', // the order of groups
    bias ?? '',
  ];
  const output = node.outputs[0]!; // every node has one
  const options = { domain: 'com.microsoft', attributes };
  if (nan === undefined) list.add(node, 'MatMulNBits', operands, { ...options, output });
  else list.add(node, 'Add', [list.add(node, 'MatMulNBits', operands, options), nan], { output });
}
