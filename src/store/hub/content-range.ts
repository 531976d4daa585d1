export interface ContentRange {
  readonly start: number;
  /** Of the whole file; undefined where the server does not know it. */
  readonly total: number | undefined;
}

/** Reads `bytes 100-199/500`; undefined for anything else. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const [, start, end, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(value?.trim() ?? '') ?? [];
  if (start === undefined || Number(end) < Number(start)) return undefined;
  return { start: Number(start), total: total === '*' ? undefined : Number(total) };
}
