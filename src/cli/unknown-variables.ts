import type { Writable } from 'node:stream';
import { writeOut } from './write-out.ts';

/** Says on stderr which variables look like settings but are none. */
export async function warnOfUnknown(names: readonly string[], stderr: Writable): Promise<void> {
  for (const name of names)
    await writeOut(stderr, `warning: ${name} is set but is no setting; \`embeddings config\` lists them all\n`);
}
