import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../assets/doctor_reference.py', import.meta.url));
const maxAnswerBytes = 256 * 1024 * 1024; // some vectors as text
const keptErrorCharacters = 2000;

export interface ReferenceText {
  readonly text: string;
  /** As this service tokenises it. */
  readonly ids: readonly number[];
}

/** What sentence-transformers gives; null for what it could not give, with the reason under the same name. */
export interface ReferenceAnswer {
  readonly versions: Readonly<Record<string, string>>;
  readonly ids: readonly (readonly number[])[] | null;
  readonly mean: readonly (readonly number[])[] | null;
  readonly pipeline: readonly (readonly number[])[] | null;
  readonly reasons: Readonly<Record<string, string>>;
}

export interface PythonOptions {
  /** A command or a path. */
  readonly python: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** Asks the sentence-transformers of a Python for its vectors, offline. @throws Error that says why there are none */
export async function askPython(
  question: { readonly folder: string; readonly root: string; readonly texts: readonly ReferenceText[] },
  options: PythonOptions,
): Promise<ReferenceAnswer> {
  const { stdout, stderr, exitCode } = await run(`${JSON.stringify(question)}\n`, options);
  const answer = parseAnswer(stdout);
  if (answer === undefined) {
    const last = stderr.trim().split('\n').at(-1);
    throw new Error(`${options.python} stopped with exit code ${exitCode}: ${last || 'it said nothing'}`);
  }
  if (typeof answer['error'] === 'string') throw new Error(answer['error']);
  if (!isAnswer(answer)) throw new Error(`${options.python} gave no vectors: expected lists of numbers`);
  return answer;
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

function run(input: string, { python, env, signal }: PythonOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [script], {
      env: environmentOf(env),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    const stdout: Buffer[] = [];
    let stdoutBytes = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes > maxAnswerBytes) child.kill();
      else stdout.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + String(chunk)).slice(-keptErrorCharacters)));
    child.on('error', (cause) => reject(new Error(`${python} cannot be run: ${cause.message}`, { cause })));
    child.on('close', (exitCode) => resolve({ stdout: Buffer.concat(stdout).toString(), stderr, exitCode }));
    child.stdin.on('error', () => {}); // it ended without reading; its exit code says so
    child.stdin.end(input);
  });
}

/** What Python needs, and no token or key. */
function environmentOf(env: PythonOptions['env']): Record<string, string> {
  const kept = /^(PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|VIRTUAL_ENV|PYTHON\w*|OMP_\w+|MKL_\w+|CUDA_\w+)$/;
  const inherited = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && kept.test(name) ? [[name, value] as const] : [],
  );
  return { ...Object.fromEntries(inherited), HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' };
}

/** The last line; libraries may print before it. */
function parseAnswer(stdout: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const answer: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : undefined; // an object
  } catch {
    return undefined;
  }
}

function isAnswer(answer: object): answer is ReferenceAnswer {
  const { versions, reasons, ids, mean, pipeline } = answer as Partial<Record<keyof ReferenceAnswer, unknown>>; // each is checked
  const areMaps = [versions, reasons].every((map) => typeof map === 'object' && map !== null);
  return (
    areMaps && [ids, mean, pipeline].every((rows) => rows === null || (Array.isArray(rows) && rows.every(isNumbers)))
  );
}

function isNumbers(row: unknown): boolean {
  return Array.isArray(row) && row.every((value) => typeof value === 'number');
}
