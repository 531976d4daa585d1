import type { Derivation } from '../graph/derivation.ts';
import { elementBytes, type ElementType, type TensorView } from '../store/safetensors.ts';

/** A file of tensors that is still to be written. */
export interface Layout {
  /** What the file begins with: u64 little-endian length and JSON, as safetensors has it. */
  readonly header: Uint8Array;
  readonly sizeBytes: number;
  /** Where each tensor lies; `file` of a view is the one that was asked for. */
  readonly tensors: ReadonlyMap<string, TensorView>;
}

interface PlannedTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** Places what derivations make one after another, the widest numbers first, so that every address is aligned. */
export function layOut(derivations: readonly Derivation[], file: string): Layout {
  const planned = derivations.flatMap(tensorsOf).toSorted((a, b) => elementBytes[b.type] - elementBytes[a.type]);
  let end = 0;
  const placed = planned.map(({ name, type, shape }) => {
    const byteLength = shape.reduce((product, size) => product * size, elementBytes[type]);
    const offset = end;
    end += byteLength;
    return { name, type, shape, offset, byteLength };
  });
  const header = toHeader(
    placed.map(({ name, type, shape, offset, byteLength }) => [
      name,
      { dtype: type, shape, data_offsets: [offset, offset + byteLength] },
    ]),
  );
  const tensors = placed.map(
    (tensor) => [tensor.name, { ...tensor, file, offset: header.length + tensor.offset }] as const,
  );
  return { header, sizeBytes: header.length + end, tensors: new Map(tensors) };
}

function tensorsOf(derivation: Derivation): readonly PlannedTensor[] {
  switch (derivation.kind) {
    case 'copy': {
      const { to, from } = derivation;
      return [{ name: to, type: from.type, shape: from.shape }];
    }
    case 'int8-rows': {
      const { from, codes, scales } = derivation;
      return [
        { name: codes, type: 'I8', shape: from.shape },
        { name: scales, type: 'F32', shape: from.shape.slice(0, 1) },
      ];
    }
    case 'int8-linears': {
      const { linears, smoothing } = derivation;
      const made = linears.flatMap(({ from, codes, scales }): PlannedTensor[] => [
        { name: codes, type: 'I8', shape: from.shape.toReversed() },
        { name: scales, type: 'F32', shape: from.shape.slice(0, 1) },
      ]);
      if (smoothing !== undefined) made.push({ name: smoothing.inverse, type: 'F32', shape: smoothing.gain.shape });
      return made;
    }
    case 'block-linear': {
      const { from, bits, blockSize, codes, scales, zeroPoints } = derivation;
      const [outputs = 0, inputs = 0] = from.shape;
      const blocks = Math.ceil(inputs / blockSize);
      return [
        { name: codes, type: 'U8', shape: [outputs, blocks, (blockSize * bits) / 8] },
        { name: scales, type: 'F32', shape: [outputs * blocks] },
        ...(bits === 4 ? [{ name: zeroPoints, type: 'U8' as const, shape: [outputs * Math.ceil(blocks / 2)] }] : []),
      ];
    }
    default:
      return derivation satisfies never;
  }
}

/** The length is padded with spaces to whole 64 bytes, so that the tensors begin aligned. */
function toHeader(entries: readonly (readonly [string, object])[]): Uint8Array {
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const size = Math.ceil((8 + json.length) / 64) * 64;
  const header = Buffer.alloc(size, ' ');
  header.writeBigUInt64LE(BigInt(size - 8));
  json.copy(header, 8);
  return header;
}
