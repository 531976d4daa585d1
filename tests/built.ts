import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

/**
 * A module of dist/: runners are processes of their own, and the oldest Node that is supported cannot run TypeScript.
 * `path` is that of the source below src/, `Module` its type.
 */
export async function importBuilt<Module>(path: string): Promise<Module> {
  refuseStaleBuild();
  return (await import(`${root}dist/${path.replace(/\.ts$/, '.js')}`)) as Module; // built from that source
}

function refuseStaleBuild(): void {
  const built = `${root}dist/app.js`;
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.includes('.test.'),
  );
  const changedMs = Math.max(...sources.map((name) => statSync(`${root}src/${name}`).mtimeMs));
  if (!existsSync(built) || statSync(built).mtimeMs < changedMs)
    throw new Error('dist is not up to date: run npm run build');
}
