/** Maps values to pixels, and says where to draw lines. */
export interface Scale {
  readonly ticks: readonly number[];
  readonly toPixel: (value: number) => number;
}

interface LinearOptions {
  /** The largest value to show; the scale starts at 0 and ends at the tick above. */
  readonly max: number;
  readonly pixels: readonly [number, number];
}

const wantedTicks = 5;

/** From 0, with ticks at 1, 2 or 5 times a power of ten. */
export function linearScale({ max, pixels: [from, to] }: LinearOptions): Scale {
  const rough = (max > 0 ? max : 1) / wantedTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const count = Math.max(1, Math.ceil(max / step - 1e-9));
  const end = count * step;
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12))),
    toPixel: (value) => from + ((to - from) * value) / end,
  };
}

/** Logarithmic, with a tick at each value that was measured. */
export function logScale(values: readonly number[], [from, to]: readonly [number, number]): Scale {
  const ticks = [...new Set(values)].sort((a, b) => a - b);
  const low = Math.log(ticks[0] ?? 1);
  const span = Math.log(ticks.at(-1) ?? 1) - low;
  return {
    ticks,
    toPixel: (value) => (span === 0 ? (from + to) / 2 : from + ((to - from) * (Math.log(value) - low)) / span),
  };
}
