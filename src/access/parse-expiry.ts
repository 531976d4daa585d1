import { isTime } from './key-record.ts';

const msOf: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** `90d` from now, or a day or time, as ISO text. @throws Error that says what was expected */
export function parseExpiry(text: string, nowMs: number): string {
  const [, count, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  const at = count === undefined ? text : new Date(nowMs + Number(count) * (msOf[unit] ?? 0)).toISOString();
  if (!isTime(at)) throw new Error('expected a time from now such as 12h, 90d or 52w, or a day such as 2027-01-01');
  if (Date.parse(at) <= nowMs) throw new Error('expected a time that is still to come');
  return at;
}
