import type { Readable, Writable } from 'node:stream';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Embed } from '../embed.ts';
import type { OpenChannel } from '../engine/runner-channel.ts';
import type { downloadModel } from '../store/hub/download-model.ts';
import type { SpareRunner } from '../engine/spare-runner.ts';

/** The app as far as the command line uses it. */
export interface CliApp {
  readonly embed: Embed;
  listen(): Promise<{ url: string }>;
  close(): Promise<void>;
}

export type CreateApp = (options: {
  config: Config;
  logger: Logger;
  onProgress?: (message: string, about?: { readonly requestId?: string }) => void;
  loadWaitSeconds?: number;
  openChannel?: OpenChannel;
}) => Promise<CliApp>;

export type Download = typeof downloadModel;

/** Everything of the process a command may touch. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the `.env` file; `.env` in the working folder when absent. */
  readonly envFile?: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Loads the app only when a command needs it, so that `--help` stays fast. */
  readonly loadCreateApp: () => Promise<CreateApp>;
  /** Loads the downloader only when a command needs it. */
  readonly loadDownload: () => Promise<Download>;
  readonly startSpareRunner: () => SpareRunner;
  readonly createLogger: (options: { level: string; to: 'stdout' | 'stderr' }) => Promise<Logger>;
  /** Calls back on SIGINT and SIGTERM until the function it returns is called. */
  readonly onStopSignal: (listener: (signal: StopSignal) => void) => () => void;
  /** Calls back on an exception or a rejection that nobody caught, until the function it returns is called. */
  readonly onUncaught: (listener: (error: unknown, origin: string) => void) => () => void;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** What a shell expects after a signal: 128 + its number. */
export const signalExitCodes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };
