import { loadConfig, type SettingName } from '../../src/config.ts';
import type { App, createApp as CreateApp } from '../../src/app.ts';
import type { EmbedResult } from '../../src/embed.ts';
import type { Item } from '../../src/request/embed-request.ts';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { goldensFolder, type Golden } from './goldens.ts';

export type { App };

const root = fileURLToPath(new URL('../../', import.meta.url));

/** An app on the bundled model and on the tiny checkpoints; nothing of this machine's caches or environment. */
export async function createTestApp(flags: Partial<Record<SettingName, string>> = {}): Promise<App> {
  const { config } = loadConfig({
    env: {},
    envFile: `${goldensFolder}no.env`,
    flags: {
      modelsDir: `${goldensFolder}models`,
      hfHubCache: `${goldensFolder}no-cache`,
      replicas: '1',
      threads: '1',
      ...flags,
    },
  });
  const createApp = await loadCreateApp();
  return createApp({ config, logger: pino({ level: 'silent' }) });
}

export function toTextItem(text: string): Item {
  return { kind: 'text', text };
}

export function toTokenItem(ids: readonly number[]): Item {
  return { kind: 'tokens', ids: Int32Array.from(ids) };
}

/** The text where the golden has one, else its token ids. */
export function toItem({ text, ids }: Golden): Item {
  return text === undefined ? toTokenItem(ids) : toTextItem(text);
}

/** Row `row` of a result. */
export function vectorOf({ vectors }: EmbedResult, row = 0): Float32Array {
  return vectors.data.subarray(row * vectors.dim, (row + 1) * vectors.dim);
}

/** The built app: its runners are processes of their own, and the oldest Node that is supported cannot run TypeScript. */
async function loadCreateApp(): Promise<typeof CreateApp> {
  const built = `${root}dist/app.js`;
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.includes('.test.'),
  );
  const changedMs = Math.max(...sources.map((name) => statSync(`${root}src/${name}`).mtimeMs));
  if (!existsSync(built) || statSync(built).mtimeMs < changedMs)
    throw new Error('dist is not up to date: run npm run build');
  const { createApp } = (await import(built)) as { createApp: typeof CreateApp };
  return createApp;
}
