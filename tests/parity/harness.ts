import { loadConfig, type SettingName } from '../../src/config.ts';
import type { App } from '../../src/app.ts';
import type * as AppModule from '../../src/app.ts';
import { importBuilt } from '../built.ts';
import type { EmbedResult } from '../../src/embed.ts';
import type { Item } from '../../src/request/embed-request.ts';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { goldensFolder, type Golden, tinyModels } from './goldens.ts';

export type { App };

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
  const { createApp } = await importBuilt<typeof AppModule>('app.ts');
  return createApp({ config, logger: pino({ level: 'silent' }) });
}

/** An allowlist of every tiny checkpoint. */
export function tinyAllowlist(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'embeddings-')), 'supported_models.txt');
  writeFileSync(file, tinyModels.map((name) => `tiny/${name}\n`).join(''));
  return file;
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
