/** What an error says, for a line of a report. */
export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a program ended, from what it printed: its last error, or else its last line, shortened. */
export function toReason(output: string): string {
  const lines = output.trim().split('\n');
  const error = lines.findLast((line) => /^(?:\w*(?:Error|Exception)|error)\b.*: ./.test(line));
  return (error ?? lines.at(-1) ?? '').slice(0, 400);
}
