import type { Int8Linear, Int8Linears } from '../derivation.ts';
import type { Codes } from './input-codes.ts';
import type { Constants, Linear } from './linears.ts';
import type { NodeList } from './node-list.ts';

/**
 * The weights of layers that read one value, with a scale for each output channel. Where the value comes out of a norm,
 * they are smoothed. Names say all that a tensor is made of: layers that share their weights share these, unless they
 * read them with others or after another norm.
 */
export function planRows(linears: readonly Linear[], constants: Constants): Int8Linears {
  const norm = constants.normOf(linears[0]?.input);
  const gain = constants.view(norm?.inputs[1]);
  const shift = constants.view(norm?.inputs[2]);
  const sources = [gain, shift, ...linears.map(({ weight }) => weight)].flatMap((view) => view?.name ?? []).join(', ');
  const toRows = ({ weight }: Linear): Int8Linear => {
    const name = sources === weight.name ? weight.name : `${weight.name} (${sources})`;
    return { from: weight, codes: `${name}.int8`, scales: `${name}.scales` };
  };
  const rows = { kind: 'int8-linears', linears: linears.map(toRows) } as const;
  if (gain === undefined) return rows;
  return { ...rows, smoothing: { gain, ...(shift === undefined ? {} : { shift }), inverse: `1 / (${sources})` } };
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
