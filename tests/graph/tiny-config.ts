import { readFileSync } from 'node:fs';
import { goldensFolder } from '../parity/goldens.ts';

/** config.json of a tiny checkpoint, to be changed by tests of what a family reads. */
export function readTinyConfig(name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(`${goldensFolder}models/tiny/${name}/config.json`, 'utf8')) as Record<string, unknown>;
}
