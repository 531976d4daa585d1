import { ServiceError } from '../errors.ts';

/** Room `writeFloatJson` may need for `count` numbers, commas included. */
export function floatJsonBytes(count: number): number {
  return count * 20; // the longest are "-0.00000123456789," and "-1.17549435e-38,"
}

/**
 * Writes numbers as JSON, comma-separated, each with the fewest digits that read back as the same float32 (through a
 * double too). Returns the position after the last byte; `out` must have `floatJsonBytes` bytes left.
 * @throws ServiceError `non_finite_output` with `param`
 */
export function writeFloatJson(values: Float32Array, out: Buffer, position: number, param: string): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let at = position;
  for (let i = 0; i < values.length; i++) {
    if (i > 0) out[at++] = 0x2c; // ,
    const word = bits[i] ?? 0;
    const value = values[i] ?? 0;
    const exponent = (word >>> 23) & 0xff;
    if (exponent === 0xff) throw new ServiceError('non_finite_output', { param });
    const size = Math.abs(value);
    // Powers of two have a narrower interval below them than above: left to the exact path, as are odd magnitudes.
    if (size >= 1 || size < 1e-6 || (word & 0x7fffff) === 0) {
      at = writeExactly(value, out, at);
      continue;
    }

    // 9 digits as an integer in [1e8, 1e9); the product is off by less than 1e-7.
    const zeros = leadingZeros(size);
    const power = powers[9 + zeros] ?? 1;
    const scaled = size * power;
    // Every decimal nearer than this reads back as `value`.
    const reach = (halfGaps[exponent] ?? 0) * power;

    // Fewest digits first. At most one multiple of 1000 can be in reach, so 6 digits cover all shorter ones.
    let digits = 6;
    let whole = ((scaled * 0.001 + 0.5) | 0) * 1000;
    let slack = reach - Math.abs(whole - scaled);
    if (slack < doubt) {
      if (slack > -doubt) {
        at = writeExactly(value, out, at);
        continue;
      }
      digits = 7;
      whole = ((scaled * 0.01 + 0.5) | 0) * 100;
      slack = reach - Math.abs(whole - scaled);
      if (slack < doubt) {
        digits = 8;
        const doubtful = slack > -doubt;
        whole = ((scaled * 0.1 + 0.5) | 0) * 10;
        slack = reach - Math.abs(whole - scaled);
        if (doubtful || Math.abs(slack) < doubt) {
          at = writeExactly(value, out, at);
          continue;
        }
        if (slack < 0) {
          digits = 9;
          whole = (scaled + 0.5) | 0;
        }
      }
    }
    if (whole >= 1e9) {
      at = writeExactly(value, out, at);
      continue;
    }

    if (value < 0) out[at++] = 0x2d; // -
    out[at++] = 0x30;
    out[at++] = 0x2e; // .
    for (let z = 0; z < zeros; z++) out[at++] = 0x30;
    const high = (whole / 1_000_000) | 0;
    const low = (whole - high * 1_000_000) | 0;
    const middle = (low / 1000) | 0;
    let digit = high * 3;
    out[at] = triples[digit] ?? 0;
    out[at + 1] = triples[digit + 1] ?? 0;
    out[at + 2] = triples[digit + 2] ?? 0;
    digit = middle * 3;
    out[at + 3] = triples[digit] ?? 0;
    out[at + 4] = triples[digit + 1] ?? 0;
    out[at + 5] = triples[digit + 2] ?? 0;
    if (digits > 6) {
      digit = (low - middle * 1000) * 3;
      out[at + 6] = triples[digit] ?? 0;
      out[at + 7] = triples[digit + 1] ?? 0;
      out[at + 8] = triples[digit + 2] ?? 0;
      at += digits;
    } else {
      at += 6;
      while (out[at - 1] === 0x30) at--;
    }
  }
  return at;
}

/** Between "surely inside the interval" and "surely outside": far above the error of the products, about 1e-7. */
const doubt = 1e-6;

const powers = Float64Array.from({ length: 15 }, (_, n) => Number(`1e${n}`));

/** Half the distance to the next float32, by exponent bits. */
const halfGaps = Float64Array.from({ length: 256 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 127 - 24));

/** The ASCII digits of 000 to 999. */
const triples = Uint8Array.from(Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0')).join(''), (digit) =>
  digit.charCodeAt(0),
);

function leadingZeros(size: number): number {
  if (size >= 1e-1) return 0;
  if (size >= 1e-2) return 1;
  if (size >= 1e-3) return 2;
  if (size >= 1e-4) return 3;
  return size >= 1e-5 ? 4 : 5;
}

function writeExactly(value: number, out: Buffer, position: number): number {
  return position + out.write(toShortest(value), position, 'latin1');
}

/** Any finite float32, slowly: tries each digit count, and the neighbours of the nearest decimal of that many digits. */
function toShortest(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  for (let digits = 1; digits < 9; digits++) {
    const [mantissa = '', exponent = ''] = value.toExponential(digits - 1).split('e');
    const nearest = Number(mantissa.replace('.', ''));
    const power = Number(exponent) - (digits - 1);
    let best: string | undefined;
    let bestDistance = Infinity;
    for (const candidate of [nearest, nearest - 1, nearest + 1]) {
      const text = `${candidate}e${power}`;
      const distance = Math.abs(Number(text) - value);
      if (Math.fround(Number(text)) !== value || distance >= bestDistance) continue;
      best = text;
      bestDistance = distance;
    }
    if (best !== undefined) return toShortNotation(Number(best));
  }
  return toShortNotation(Number(value.toPrecision(9)));
}

function toShortNotation(value: number): string {
  const plain = String(value);
  const scientific = value.toExponential().replace('e+', 'e');
  return plain.length <= scientific.length ? plain : scientific;
}
