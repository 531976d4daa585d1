import type { ElementType } from '../store/safetensors.ts';
import { elementBytes } from '../store/safetensors.ts';

/** The formats that are weights as they stand. */
export type FloatType = 'F64' | 'F32' | 'F16' | 'BF16';

export function isFloatType(type: ElementType): type is FloatType {
  return type === 'F64' || type === 'F32' || type === 'F16' || type === 'BF16';
}

/**
 * Little-endian numbers as float32, written into `out` from its start. bytes: as many as `out` needs, at any address.
 */
export function widen(bytes: Uint8Array, type: FloatType, out: Float32Array): void {
  const count = bytes.byteLength / elementBytes[type];
  const aligned = bytes.byteOffset % elementBytes[type] === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  if (type === 'F32') out.set(new Float32Array(buffer, byteOffset, count));
  else if (type === 'F64') out.set(new Float64Array(buffer, byteOffset, count));
  else widenHalves(new Uint16Array(buffer, byteOffset, count), type, out);
}

const bits = new Uint32Array(1);
const number = new Float32Array(bits.buffer);
let halves: Float32Array | undefined;

function widenHalves(source: Uint16Array, type: 'F16' | 'BF16', out: Float32Array): void {
  if (type === 'BF16') {
    const target = new Uint32Array(out.buffer, out.byteOffset, source.length);
    for (let i = 0; i < source.length; i++) target[i] = source[i]! << 16;
    return;
  }
  halves ??= Float32Array.from({ length: 65_536 }, (_, half) => widenHalf(half));
  for (let i = 0; i < source.length; i++) out[i] = halves[source[i]!]!;
}

/** IEEE 754 binary16. */
function widenHalf(half: number): number {
  const sign = (half & 0x80_00) === 0 ? 1 : -1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3_ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  bits[0] = ((exponent + 112) << 23) | (fraction << 13);
  return sign * number[0]!;
}
