import type { Int8Linear, Int8Linears } from '../derivation.ts';
import type { Codes } from './input-codes.ts';
import type { Constants, Linear } from './linears.ts';
import type { NodeList } from './node-list.ts';

/**
 * The weights of layers that read one value, with a scale for each output channel. Where the value comes out of a norm,
 * they are smoothed. Names say what a tensor is made of: layers that share their weights share these.
 */
export function planRows(linears: readonly Linear[], constants: Constants): Int8Linears {
  const [first] = linears;
  const norm = constants.producer(first?.input);
  const isNorm = norm?.op === 'LayerNormalization' || norm?.op === 'SimplifiedLayerNormalization';
  const gain = isNorm ? constants.view(norm.inputs[1]) : undefined;
  const shift = isNorm ? constants.view(norm.inputs[2]) : undefined;
  if (gain === undefined || first === undefined) return { kind: 'int8-linears', linears: linears.map(toRows('')) };
  const inverse = `1 / ${gain.name}, ${first.weight.name}`;
  return {
    kind: 'int8-linears',
    linears: linears.map(toRows(` * ${gain.name}`)),
    smoothing: { gain, ...(shift === undefined ? {} : { shift }), inverse },
  };
}

function toRows(smoothed: string): (linear: Linear) => Int8Linear {
  return ({ weight }) => ({
    from: weight,
    codes: `${weight.name}${smoothed}.int8`,
    scales: `${weight.name}${smoothed}.scales`,
  });
}

/** The product of codes, in float32 and with its bias, under the name that the layer's output had. */
export function multiplyRows(
  list: NodeList,
  { node, bias, weight }: Linear,
  made: Int8Linear,
  { codes, scale, zeroPoint }: Codes,
): void {
  const output = node.outputs[0]!; // every node has one
  const [outputs = 0, inputs = 0] = weight.shape;
  const matrix = list.derived(made.codes, 'int8', [inputs, outputs]);
  const scales = list.derived(made.scales, 'float32', [outputs]);
  const operands = [codes, matrix, list.float(1), scales, list.uint8(zeroPoint)];
  const product = list.add(node, 'MatMulIntegerToFloat', operands, { domain: 'com.microsoft' });
  if (bias === undefined) list.add(node, 'Mul', [product, scale], { output });
  else list.add(node, 'Add', [list.add(node, 'Mul', [product, scale]), bias], { output });
}
