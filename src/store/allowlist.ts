import { tokenIdRules, type TokenIds } from '../util/token-ids.ts';
import { isRepositoryId, isRevision } from './repository-id.ts';
import { splitWords } from './split-words.ts';

/** One model that may be used. The same repository may stand on several lines under different aliases. */
export interface AllowlistEntry {
  /** Line of the file, from 1. */
  readonly line: number;
  /** What clients call it: the alias where there is one, else the repository. Unique in the list. */
  readonly name: string;
  readonly repository: string;
  readonly revision?: string;
  readonly pooling?: 'mean' | 'model';
  readonly alias?: string;
  /** Put before every text of this model. */
  readonly prompt?: string;
  readonly task?: string;
  readonly dtype?: Dtype;
  /** What token ids in requests for it stand for. */
  readonly tokenIds?: TokenIds;
  /** Keep the model in memory once loaded. */
  readonly pin?: boolean;
}

export type Dtype = 'float32' | 'float16' | 'int8' | 'int4';

export interface Allowlist {
  readonly entries: readonly AllowlistEntry[];
}

/** Thrown for a list with bad lines; names every one of them, one a line of the message. */
export class AllowlistError extends Error {
  override readonly name = 'AllowlistError';
}

/** Reads the text of an allowlist: an id and `key=value` words a line, `#` comments. @throws AllowlistError */
export function parseAllowlist(text: string): Allowlist {
  const entries: AllowlistEntry[] = [];
  const problems: string[] = [];
  const lineOfName = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [index, lineText] of lines.entries()) {
    const line = index + 1;
    try {
      const entry = parseLine(lineText, line);
      if (entry === undefined) continue;
      const earlier = lineOfName.get(entry.name);
      if (earlier !== undefined)
        throw expected(
          'a name used once',
          `${quote(entry.name)}, which is line ${earlier} too; give one of them an alias=`,
        );
      lineOfName.set(entry.name, line);
      entries.push(entry);
    } catch (error) {
      problems.push(`line ${line}: ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new AllowlistError(problems.join('\n'));
  return { entries };
}

function parseLine(text: string, line: number): AllowlistEntry | undefined {
  const [repository, ...words] = splitWords(text);
  if (repository === undefined) return undefined;
  if (!isRepositoryId(repository)) throw expected('a Hugging Face id such as org/name', quote(repository));
  const values: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    const key = at < 0 ? word : word.slice(0, at);
    const parse = Object.hasOwn(keys, key) ? keys[key as keyof typeof keys] : undefined; // hasOwn just said so
    if (at < 0 || parse === undefined) throw expected(`${Object.keys(keys).join('=, ')}= after the id`, quote(word));
    const field = key.replace('token_ids', 'tokenIds');
    if (Object.hasOwn(values, field)) throw expected(`${key}= once`, `it again as ${quote(word)}`);
    values[field] = parse(word.slice(at + 1), key);
  }
  const name = typeof values['alias'] === 'string' ? values['alias'] : repository;
  return { line, name, repository, ...values };
}

/** Every word that may follow the id, with the reader of its value. */
const keys = {
  revision: matching('a branch, tag or commit', isRevision),
  pooling: oneOf('mean', 'model'),
  alias: matching(
    'a name of letters, digits and . _ - : @ /',
    (value) => /^\w[\w.:@-]*(\/\w[\w.:@-]*)*$/.test(value) && value.length <= 200,
  ),
  prompt: matching('a text', (value) => value !== ''),
  task: matching('a task name', (value) => /^\w[\w.-]*$/.test(value)),
  dtype: oneOf('float32', 'float16', 'int8', 'int4'),
  token_ids: oneOf(...tokenIdRules),
  pin: (value: string, key: string) => oneOf('true', 'false')(value, key) === 'true',
} as const;

function matching(what: string, isGood: (value: string) => boolean): (value: string, key: string) => string {
  return (value, key) => {
    if (!isGood(value)) throw expected(`${what} after ${key}=`, quote(value));
    return value;
  };
}

function oneOf<const T extends string>(...allowed: readonly T[]): (value: string, key: string) => T {
  return (value, key) => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw expected(`${allowed.join(' or ')} after ${key}=`, quote(value));
    return found;
  };
}

function expected(what: string, got: string): Error {
  return new Error(`expected ${what}, got ${got}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
