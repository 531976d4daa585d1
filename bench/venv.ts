import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface VenvOptions {
  readonly folder: string;
  /** File of requirements. */
  readonly requirements: string;
  /** What is said before the install. */
  readonly about: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Makes a virtual environment once; the interpreter in it. */
export function ensureVenv({ folder, requirements, about, env = {} }: VenvOptions): string {
  const python = join(folder, 'bin/python');
  const done = join(folder, 'complete'); // written last: a venv cut short is made again
  if (existsSync(done)) return python;
  process.stdout.write(`Installing ${about} into ${folder} (once)\n`);
  rmSync(folder, { recursive: true, force: true });
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  writeFileSync(done, '');
  return python;
}
