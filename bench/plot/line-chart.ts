import { linearScale, logScale } from './scale.ts';
import type { Scale } from './scale.ts';
import { round, toColour, toImage, toLine, toText } from './svg.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
  /** Lowest and highest of the rounds, drawn as a line. */
  readonly spread?: readonly [number, number];
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface LineChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly isLogX: boolean;
  readonly series: readonly Series[];
  /** A level to compare with, dashed. */
  readonly level?: { readonly name: string; readonly value: number };
}

const [width, height, left, right, top, bottom, legendLine] = [760, 400, 68, 200, 44, 52, 20] as const;
const [plotRight, plotBottom] = [width - right, height - bottom];

/** Lines over a common axis, each named in a legend at the right. */
export function toLineChart({ title, xLabel, yLabel, isLogX, series, level }: LineChartOptions): string {
  const points = series.flatMap((one) => one.points);
  const xs = points.map(({ x }) => x);
  const max = Math.max(level?.value ?? 0, ...points.map(({ y, spread }) => spread?.[1] ?? y));
  const x = isLogX
    ? logScale(xs, [left + 8, plotRight - 8])
    : linearScale({ max: Math.max(...xs), pixels: [left, plotRight] });
  const y = linearScale({ max, pixels: [plotBottom, top] });
  const body = [
    ...toAxes(x, y),
    toText({ x: (left + plotRight) / 2, y: height - 12, text: xLabel, anchor: 'middle' }),
    toText({ x: 18, y: (top + plotBottom) / 2, text: yLabel, anchor: 'middle', isTurned: true }),
    ...series.flatMap((one, index) => toSeries({ one, index, x, y })),
    ...(level === undefined ? [] : toLevel({ level, y, index: series.length })),
  ];
  return toImage({ width, height, title, body });
}

function toAxes(x: Scale, y: Scale): string[] {
  return [
    ...x.ticks.flatMap((tick) => [
      toLine({ from: [x.toPixel(tick), top], to: [x.toPixel(tick), plotBottom], className: 'grid' }),
      toText({ x: x.toPixel(tick), y: plotBottom + 16, text: String(tick), anchor: 'middle' }),
    ]),
    ...y.ticks.flatMap((tick) => [
      toLine({ from: [left, y.toPixel(tick)], to: [plotRight, y.toPixel(tick)], className: 'grid' }),
      toText({ x: left - 6, y: y.toPixel(tick) + 4, text: String(tick), anchor: 'end' }),
    ]),
  ];
}

function toSeries({ one, index, x, y }: { one: Series; index: number; x: Scale; y: Scale }): string[] {
  const colour = toColour(index);
  const path = one.points.map((point) => `${round(x.toPixel(point.x))},${round(y.toPixel(point.y))}`).join(' ');
  const legendY = top + 8 + index * legendLine;
  return [
    ...one.points.flatMap(({ x: at, spread }) =>
      spread === undefined
        ? []
        : [
            toLine({
              from: [x.toPixel(at), y.toPixel(spread[0])],
              to: [x.toPixel(at), y.toPixel(spread[1])],
              className: 'range',
            }),
          ],
    ),
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path}"/>`,
    ...one.points.map(
      (point) => `<circle cx="${round(x.toPixel(point.x))}" cy="${round(y.toPixel(point.y))}" r="3" fill="${colour}"/>`,
    ),
    `<rect x="${plotRight + 16}" y="${legendY - 5}" width="14" height="4" fill="${colour}"/>`,
    toText({ x: plotRight + 36, y: legendY + 1, text: one.name }),
  ];
}

function toLevel({ level, y, index }: { level: { name: string; value: number }; y: Scale; index: number }): string[] {
  const height = round(y.toPixel(level.value));
  const legendY = top + 8 + index * legendLine;
  const dashes = 'class="range" stroke-dasharray="5 4"';
  return [
    `<line ${dashes} x1="${left}" y1="${height}" x2="${plotRight}" y2="${height}"/>`,
    `<line ${dashes} x1="${plotRight + 16}" y1="${legendY - 3}" x2="${plotRight + 30}" y2="${legendY - 3}"/>`,
    toText({ x: plotRight + 36, y: legendY + 1, text: level.name }),
  ];
}
