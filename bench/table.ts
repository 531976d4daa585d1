import { isMet } from './goal.ts';
import type { Row } from './report.ts';

/** Markdown tables of all rows: one list, then for each part with contestants a table that has them side by side. */
export function toTables(rows: readonly Row[]): string {
  const single = rows.filter((row) => row.contestant === undefined && row.at === undefined);
  const parts = [...new Set(rows.filter((row) => !single.includes(row)).map((row) => row.part))];
  const compared = parts.flatMap((part) => {
    const ofPart = rows.filter((row) => row.part === part && !single.includes(row));
    const sweeps = ofPart.filter((row) => row.at !== undefined);
    const contestants = [...new Set(sweeps.map((row) => row.contestant ?? ''))];
    return [
      toComparison(
        part,
        ofPart.filter((row) => row.at === undefined),
      ),
      ...contestants.map((name) =>
        toSweep(
          part,
          sweeps.filter((row) => (row.contestant ?? '') === name),
        ),
      ),
    ];
  });
  return [toList(single), ...compared].filter((table) => table !== '').join('\n');
}

function toList(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const lines = rows.map((row) => [
    row.part,
    row.name,
    `${toText(row.value)} ${row.unit}`,
    toRange(row),
    toGoal(row),
    row.note ?? '',
  ]);
  return toMarkdown([['part', 'measure', 'value', 'lowest to highest', 'goal', 'note'], ...lines]);
}

/** A line for each contestant, a column for each measure. */
function toComparison(part: string, rows: readonly Row[]): string {
  return toPivot({ rows, corner: part, line: (row) => row.contestant ?? '', column: toHead });
}

/** A line for each point of the sweep, a column for each measure. */
function toSweep(part: string, rows: readonly Row[]): string {
  const [first] = rows;
  const corner = `${part}, ${first?.contestant ?? ''}: ${first?.at?.axis ?? ''}`;
  return toPivot({ rows, corner, line: (row) => toText(row.at?.value ?? Number.NaN), column: toHead });
}

interface PivotOptions {
  readonly rows: readonly Row[];
  readonly corner: string;
  readonly line: (row: Row) => string;
  readonly column: (row: Row) => string;
}

function toPivot({ rows, corner, line, column }: PivotOptions): string {
  if (rows.length === 0) return '';
  const columns = [...new Set(rows.map(column))];
  const lines = [...new Set(rows.map(line))].map((name) => {
    const cells = columns.map((head) => rows.find((row) => line(row) === name && column(row) === head));
    return [name, ...cells.map((row) => (row === undefined ? '' : toCell(row)))];
  });
  return toMarkdown([[corner, ...columns], ...lines]);
}

function toHead({ name, unit }: Row): string {
  return unit === '' ? name : `${name}, ${unit}`;
}

function toCell(row: Row): string {
  const range = row.spread === undefined || row.spread[0] === row.spread[1] ? '' : ` (${toRange(row)})`;
  return `${toText(row.value)}${range}${row.goal === undefined ? '' : `, ${toGoal(row)}`}`;
}

function toMarkdown([head = [], ...lines]: readonly (readonly string[])[]): string {
  const all = [head, head.map(() => '---'), ...lines];
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

/** Three digits that count, more just below 1, where cosines and shares are. */
export function toText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1);
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size > 0.99 && size < 1 ? 4 : 3)));
}
