import { CliError } from './cli-error.ts';
import { signalExitCodes, type CliContext } from './context.ts';

/** Runs work that Ctrl-C stops: it gets a signal that aborts then, and the exit code is the shell's. `hint` says what is left. */
export async function runStoppable<T>(
  { context, hint = '' }: { readonly context: CliContext; readonly hint?: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const stopListening = context.onStopSignal((signal) =>
    abort.abort(new CliError(`stopped by ${signal}${hint}`, { exitCode: signalExitCodes[signal] })),
  );
  try {
    return await work(abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    stopListening();
  }
}
