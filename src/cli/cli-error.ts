import { CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { StdoutClosed } from './write-out.ts';

/** An error the user can mend, with the exit code that goes with it: 1, or 2 for wrong usage. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, { exitCode = 1, ...options }: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** What goes to stderr and the exit code. Wrong usage and bad settings are 2: starting again cannot help. */
export function reportError(
  error: unknown,
  { isVerbose }: { readonly isVerbose: boolean },
): { text: string; exitCode: number } {
  if (error instanceof StdoutClosed) return { text: '', exitCode: 0 }; // the reader has seen enough, as in `| head`
  // Commander has printed its message already; `commander.help` is the help that stands in for a missing command.
  if (error instanceof CommanderError) return { text: '', exitCode: error.exitCode === 0 ? 0 : 2 };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigError) return { text: line(message), exitCode: 2 };
  if (error instanceof CliError) return { text: line(message), exitCode: error.exitCode };
  const detail = isVerbose && error instanceof Error && error.stack !== undefined ? `${error.stack}\n` : '';
  return { text: line(message) + detail, exitCode: 1 };
}

function line(message: string): string {
  return `error: ${message.replaceAll('\n', '\nerror: ')}\n`;
}
