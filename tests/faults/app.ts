import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type * as AppModule from '../../src/app.ts';
import type * as ConfigModule from '../../src/config.ts';
import type * as Channel from '../../src/engine/runner-channel.ts';
import { importBuilt } from '../built.ts';
import { bundledModel } from '../e2e/service.ts';

export interface TestApp {
  readonly app: AppModule.App;
  readonly url: string;
  readonly logLines: Record<string, unknown>[];
}

export interface TestAppOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly longestPauseMs?: number;
  /** Comes between the server and a runner that is really there. */
  readonly meddle?: (channel: Channel.RunnerChannel) => Channel.RunnerChannel;
}

/** The built service in this process, listening, on the bundled model and real runner processes. */
export async function startApp({ variables = {}, longestPauseMs, meddle }: TestAppOptions): Promise<TestApp> {
  const { createApp } = await importBuilt<typeof AppModule>('app.ts');
  const { loadConfig } = await importBuilt<typeof ConfigModule>('config.ts');
  const { forkRunner } = await importBuilt<typeof Channel>('engine/runner-channel.ts');
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  writeFileSync(join(folder, 'models.txt'), `${bundledModel}\n`);
  const logLines: Record<string, unknown>[] = [];
  const write = (line: string) => void logLines.push(JSON.parse(line) as Record<string, unknown>);
  const { config } = loadConfig({
    env: {
      EMBEDDINGS_HOST: '127.0.0.1',
      EMBEDDINGS_PORT: '0',
      EMBEDDINGS_SUPPORTED_MODELS: join(folder, 'models.txt'),
      HF_HUB_CACHE: join(folder, 'hub'),
      ...variables,
    },
    envFile: join(folder, '.env'),
  });
  const app = await createApp({
    config,
    logger: pino({ level: 'debug' }, { write }),
    openChannel: meddle === undefined ? forkRunner : (events) => meddle(forkRunner(events)),
    ...(longestPauseMs === undefined ? {} : { longestPauseMs }),
  });
  const { url } = await app.listen();
  return { app, url, logLines };
}
