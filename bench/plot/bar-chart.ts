import { toText as toNumber } from '../table.ts';
import { linearScale } from './scale.ts';
import { round, toColour, toImage, toLine, toText } from './svg.ts';

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** Lowest and highest of the rounds, drawn as a line. */
  readonly spread?: readonly [number, number];
}

export interface BarChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

const [width, left, right, top, bottom, rowHeight, barHeight] = [720, 170, 80, 44, 48, 30, 18] as const;

/** A horizontal bar for each name, from 0, with its value at the end. */
export function toBarChart({ title, unit, bars }: BarChartOptions): string {
  const height = top + bars.length * rowHeight + bottom;
  const end = height - bottom;
  const max = Math.max(...bars.map(({ value, spread }) => spread?.[1] ?? value));
  const { ticks, toPixel } = linearScale({ max, pixels: [left, width - right] });
  const body = [
    ...ticks.flatMap((tick) => [
      toLine({ from: [toPixel(tick), top], to: [toPixel(tick), end], className: 'grid' }),
      toText({ x: toPixel(tick), y: end + 16, text: String(tick), anchor: 'middle' }),
    ]),
    toText({ x: (left + width - right) / 2, y: height - 12, text: unit, anchor: 'middle' }),
    ...bars.flatMap(({ name, value, spread }, index) => {
      const middle = top + (index + 0.5) * rowHeight;
      const [low, high] = spread ?? [value, value];
      return [
        toText({ x: left - 8, y: middle + 4, text: name, anchor: 'end' }),
        `<rect x="${left}" y="${round(middle - barHeight / 2)}" width="${round(toPixel(value) - left)}" height="${barHeight}" fill="${toColour(index)}"/>`,
        toLine({ from: [toPixel(low), middle], to: [toPixel(high), middle], className: 'range' }),
        toText({ x: toPixel(high) + 6, y: middle + 4, text: toNumber(value) }),
      ];
    }),
  ];
  return toImage({ width, height, title, body });
}
