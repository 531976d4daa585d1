import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMet } from './goal.ts';
import type { Goal } from './goal.ts';
import { median, spread } from './stats.ts';
import { toTables, toText } from './table.ts';

/** One measured number. */
export interface Row {
  readonly part: string;
  /** Whose number it is, where several are measured in the same way. */
  readonly contestant?: string;
  readonly name: string;
  readonly unit: string;
  /** The point of a sweep at which it was measured. */
  readonly at?: { readonly axis: string; readonly value: number };
  readonly value: number;
  /** Lowest and highest of the rounds. */
  readonly spread?: readonly [number, number];
  /** Every round, in order. */
  readonly rounds?: readonly number[];
  readonly goal?: Goal;
  readonly note?: string;
}

export interface Report {
  /** Writes one JSON line at once, so that a run cut short keeps what it measured. */
  add(row: Row): void;
  /** Any other facts of the run, such as the machine. */
  note(facts: object): void;
  /** A contestant that could not be measured, and why. */
  leaveOut(absence: Absence): void;
  /** Markdown: tables of all rows, and who was left out. */
  tables(): string;
}

export interface Absence {
  readonly part: string;
  readonly contestant: string;
  readonly reason: string;
}

export function createReport(file: string): Report {
  mkdirSync(dirname(file), { recursive: true });
  const rows: Row[] = [];
  const absences: Absence[] = [];
  const write = (value: object): void => appendFileSync(file, `${JSON.stringify(value)}\n`);
  return {
    add(row) {
      rows.push(row);
      write(row.goal === undefined ? row : { ...row, met: isMet(row) });
      const at = row.at === undefined ? [] : [`${toText(row.at.value)} ${row.at.axis}`];
      const label = [...(row.contestant === undefined ? [] : [row.contestant]), ...at, row.name].join(', ');
      process.stdout.write(`  ${label}: ${toText(row.value)} ${row.unit}\n`);
    },
    note: write,
    leaveOut(absence) {
      absences.push(absence);
      write({ ...absence, leftOut: true });
      process.stdout.write(`  ${absence.contestant} is left out: ${absence.reason}\n`);
    },
    tables: () => `${toTables(rows)}\n${toList(absences)}`,
  };
}

/** A row of several rounds: the median, with the lowest and highest beside it. */
export function fromRounds(row: Omit<Row, 'value' | 'spread' | 'rounds'>, rounds: readonly number[]): Row {
  return { ...row, value: median(rounds), spread: spread(rounds), rounds };
}

function toList(absences: readonly Absence[]): string {
  return absences
    .map(({ part, contestant, reason }) => `- not measured in ${part}: ${contestant}: ${reason}\n`)
    .join('');
}
