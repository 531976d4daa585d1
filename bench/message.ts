/** What an error says, for a line of a report. */
export function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
