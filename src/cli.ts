#!/usr/bin/env node
import type { StopSignal } from './cli/context.ts';
import { createLogger } from './cli/log-output.ts';
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
  onUncaught,
});
// Exits here and nowhere else, also while something still holds the event loop after a second signal.
process.exit(exitCode);

function onStopSignal(listener: (signal: StopSignal) => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => process.off('SIGINT', listener).off('SIGTERM', listener);
}

/** Unhandled rejections come as uncaught exceptions too. */
function onUncaught(listener: (error: unknown, origin: string) => void): () => void {
  process.on('uncaughtException', listener);
  return () => process.off('uncaughtException', listener);
}
