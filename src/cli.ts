#!/usr/bin/env node
import type { Logger } from 'pino';
import type { StopSignal } from './cli/context.ts';
import { runCli } from './cli/program.ts';
import { startSpareRunner } from './engine/spare-runner.ts';

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  loadCreateApp: async () => (await import('./app.ts')).createApp,
  loadDownload: async () => (await import('./store/hub/download-model.ts')).downloadModel,
  startSpareRunner: () => startSpareRunner(),
  createLogger,
  onStopSignal,
});
// Exits here and nowhere else, also while something still holds the event loop after a second signal.
process.exit(exitCode);

/** Writes synchronously, so that no line is lost on exit. */
async function createLogger({ level, to }: { level: string; to: 'stdout' | 'stderr' }): Promise<Logger> {
  const { pino, destination } = await import('pino');
  return pino({ level }, destination({ dest: to === 'stdout' ? 1 : 2, sync: true }));
}

function onStopSignal(listener: (signal: StopSignal) => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => process.off('SIGINT', listener).off('SIGTERM', listener);
}
