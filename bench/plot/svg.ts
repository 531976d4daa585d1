/** One hue for each contestant, apart for the colour-blind, and seen on white and on black. */
const colours = ['#0a7bc2', '#e8710a', '#12a067', '#c653a3', '#b58900', '#7a6ff0', '#d64541', '#4fa3a5', '#8a8f98'];

export function toColour(index: number): string {
  return colours[index % colours.length] ?? '#888888';
}

export interface ImageOptions {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  readonly body: readonly string[];
}

/** An image with a background of its own, which follows the reader's light or dark scheme. */
export function toImage({ width, height, title, body }: ImageOptions): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escape(title)}</title>
<style>
svg { --paper: #ffffff; --ink: #1f2328; --grid: #d1d9e0; font: 12px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --grid: #3d444d; } }
.paper { fill: var(--paper); }
text { fill: var(--ink); }
.title { font-size: 14px; font-weight: 600; }
.grid { stroke: var(--grid); }
.range { stroke: var(--ink); }
</style>
<rect class="paper" width="${width}" height="${height}"/>
${toText({ x: 16, y: 24, text: title, className: 'title' })}
${body.join('\n')}
</svg>
`;
}

export interface TextOptions {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly className?: string;
  /** Reads upwards, for a vertical axis. */
  readonly isTurned?: boolean;
}

export function toText({ x, y, text, anchor = 'start', className, isTurned = false }: TextOptions): string {
  const style = className === undefined ? '' : ` class="${className}"`;
  const turn = isTurned ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : '';
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${style}${turn}>${escape(text)}</text>`;
}

export interface LineOptions {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly className: 'grid' | 'range';
}

export function toLine({ from: [x1, y1], to: [x2, y2], className }: LineOptions): string {
  return `<line class="${className}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/** Tenths of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
