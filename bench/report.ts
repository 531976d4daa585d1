import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { median, spread } from './stats.ts';

/** One measured number. */
export interface Row {
  readonly part: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** Lowest and highest of the rounds. */
  readonly spread?: readonly [number, number];
  /** Every round, in order. */
  readonly rounds?: readonly number[];
  readonly goal?: Goal;
  readonly note?: string;
}

/** What the number should be; `limit` is in the unit of the row. */
export interface Goal {
  readonly kind: 'atLeast' | 'atMost';
  readonly limit: number;
}

export interface Report {
  /** Writes one JSON line at once, so that a run cut short keeps what it measured. */
  add(row: Row): void;
  /** Any other facts of the run, such as the machine. */
  note(facts: object): void;
  table(): string;
}

export function createReport(file: string): Report {
  mkdirSync(dirname(file), { recursive: true });
  const rows: Row[] = [];
  const write = (value: object): void => appendFileSync(file, `${JSON.stringify(value)}\n`);
  return {
    add(row) {
      rows.push(row);
      write(row.goal === undefined ? row : { ...row, met: isMet(row) });
      process.stdout.write(`  ${row.name}: ${toText(row.value)} ${row.unit}\n`);
    },
    note: write,
    table: () => toTable(rows),
  };
}

/** A row of several rounds: the median, with the lowest and highest beside it. */
export function fromRounds(row: Omit<Row, 'value' | 'spread' | 'rounds'>, rounds: readonly number[]): Row {
  return { ...row, value: median(rounds), spread: spread(rounds), rounds };
}

/** NaN meets nothing. */
export function isMet({ value, goal }: Row): boolean {
  if (goal === undefined) return true;
  return goal.kind === 'atLeast' ? value >= goal.limit : value <= goal.limit;
}

function toTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.part,
    row.name,
    `${toText(row.value)} ${row.unit}`,
    toRange(row),
    toGoal(row),
    row.note ?? '',
  ]);
  const all = [
    ['part', 'measure', 'value', 'lowest to highest', 'goal', 'note'],
    ['---', '---', '---', '---', '---', '---'],
    ...lines,
  ];
  return `${all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function toRange({ spread: range }: Row): string {
  return range === undefined ? '' : `${toText(range[0])} to ${toText(range[1])}`;
}

function toGoal(row: Row): string {
  if (row.goal === undefined) return '';
  const sign = row.goal.kind === 'atLeast' ? '>=' : '<=';
  return `${sign} ${toText(row.goal.limit)}: ${isMet(row) ? 'met' : 'MISSED'}`;
}

function toText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size > 0.99 && size < 1 ? 4 : 3)));
}
