import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '../report.ts';

export interface ResultsOptions {
  /** Folder with the files of the runs, whose names sort by time. */
  readonly folder: string;
  /** Also takes runs with --quick, whose numbers are not worth showing. */
  readonly isQuickTaken: boolean;
}

/** The rows of each part, from the last run that measured it. */
export function readResults({ folder, isQuickTaken }: ResultsOptions): ReadonlyMap<string, readonly Row[]> {
  const results = new Map<string, readonly Row[]>();
  for (const file of readdirSync(folder)
    .filter((name) => /^results-.*\.jsonl$/.test(name))
    .sort()) {
    const lines = readFileSync(join(folder, file), 'utf8').trim().split('\n').map(parseLine);
    if (!isQuickTaken && lines.some((line) => 'quick' in line && line.quick === true)) continue;
    for (const [part, rows] of toParts(lines)) results.set(part, rows);
  }
  return results;
}

function parseLine(line: string): object {
  return JSON.parse(line) as object;
}

/** Lines that are no rows, such as the machine or a single turn, are passed over. */
export function toParts(lines: readonly object[]): ReadonlyMap<string, readonly Row[]> {
  const parts = new Map<string, Row[]>();
  for (const line of lines) {
    if (!('part' in line && 'name' in line && 'value' in line && typeof line.value === 'number')) continue;
    const row = line as Row; // written by report.add()
    parts.set(row.part, [...(parts.get(row.part) ?? []), row]);
  }
  return parts;
}
