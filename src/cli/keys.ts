import { resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { createApiKey, hashApiKey } from '../access/api-key.ts';
import { editKeyFile } from '../access/edit-key-file.ts';
import { addKey, KeyFileError, parseKeyFile, revokeKey } from '../access/key-file.ts';
import { isKeyName, isModelList, keyNameRule, type KeyRecord } from '../access/key-record.ts';
import { parseExpiry } from '../access/parse-expiry.ts';
import { loadConfig, type ConfigInput } from '../config.ts';
import { CliError } from './cli-error.ts';
import type { CliContext } from './context.ts';
import { formatTable } from './table.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { writeOut } from './write-out.ts';

interface KeyOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  /** Instead of EMBEDDINGS_API_KEYS_FILE. */
  readonly file?: string;
}

export interface CreateKeyOptions extends KeyOptions {
  readonly models?: string;
  readonly expires?: string;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
}

export interface ListKeysOptions extends KeyOptions {
  readonly json: boolean;
}

/** Adds a key to the file. The key, and nothing else, is on stdout: it can be had only now. */
export async function createKey(name: string, options: CreateKeyOptions, context: CliContext): Promise<void> {
  const { path, isServed } = await keyFileOf(options, context);
  const key = createApiKey();
  const record = toRecord(name, key, options);
  await naming(path, () => editKeyFile(path, (text) => addKey(text, record)));
  const advice = isServed ? '' : ` Services read it where EMBEDDINGS_API_KEYS_FILE=${path} is set.`;
  await writeOut(
    context.stderr,
    `key ${name} is in ${path}, as a hash: this is the only time that the key itself is shown.${advice}\n`,
  );
  await writeOut(context.stdout, `${key}\n`);
}

/** Prints every key of the file with its state; never a hash. */
export async function listKeys(options: ListKeysOptions, context: CliContext): Promise<void> {
  const { path } = await keyFileOf(options, context);
  const keys = await naming(path, async () => parseKeyFile(readFileSync(path, 'utf8')));
  const rows = keys.map(({ record }) => ({ ...record, hash: undefined, state: stateOf(record) })); // no JSON has what is undefined
  if (options.json) return writeOut(context.stdout, `${JSON.stringify(rows, null, 2)}\n`);
  const text = formatTable([
    ['NAME', 'STATE', 'CREATED', 'EXPIRES', 'REQUESTS/MIN', 'TOKENS/MIN', 'MODELS'],
    ...rows.map(({ name, state, created, expires, requestsPerMinute, tokensPerMinute, models }) => [
      name,
      state,
      created.slice(0, 10),
      expires?.slice(0, 10) ?? 'never',
      String(requestsPerMinute ?? '-'),
      String(tokensPerMinute ?? '-'),
      models?.join(',') ?? 'all',
    ]),
  ]);
  await writeOut(context.stdout, text);
}

/** Marks a key as revoked; its line stays, so that the name is not used again. */
export async function revoke(name: string, options: KeyOptions, context: CliContext): Promise<void> {
  const { path } = await keyFileOf(options, context);
  await naming(path, async () => {
    parseKeyFile(readFileSync(path, 'utf8')); // no new file where there is none
    await editKeyFile(path, (text) => revokeKey(text, name, new Date().toISOString()));
  });
  await writeOut(context.stderr, `key ${name} is revoked; services that follow ${path} refuse it within two seconds\n`);
}

async function keyFileOf(
  { flags, file }: KeyOptions,
  context: CliContext,
): Promise<{ readonly path: string; readonly isServed: boolean }> {
  const { config, unknown } = loadConfig({ ...context, flags });
  await warnOfUnknown(unknown, context.stderr);
  const path = file === undefined ? config.apiKeysFile : resolve(file);
  if (path === undefined)
    throw new CliError(
      'expected the file of keys: set EMBEDDINGS_API_KEYS_FILE, which the service reads too, or name it with --file',
      { exitCode: 2 },
    );
  return { path, isServed: path === config.apiKeysFile };
}

function toRecord(name: string, key: string, options: CreateKeyOptions): KeyRecord {
  const wrong = (message: string): CliError => new CliError(message, { exitCode: 2 });
  if (!isKeyName(name)) throw wrong(`expected ${keyNameRule()} as the name of the key`); // not repeated: it may be a key
  const now = Date.now();
  const models = options.models?.split(',').map((each) => each.trim());
  if (models !== undefined && !isModelList(models))
    throw wrong(`--models: expected names such as BAAI/*,e5-query, got ${JSON.stringify(options.models)}`);
  let expires: string | undefined;
  try {
    expires = options.expires === undefined ? undefined : parseExpiry(options.expires, now);
  } catch (error) {
    throw wrong(`--expires: ${(error as Error).message}, got ${JSON.stringify(options.expires)}`);
  }
  const { requestsPerMinute, tokensPerMinute } = options;
  const record = { name, hash: hashApiKey(key), created: new Date(now).toISOString() };
  return JSON.parse(JSON.stringify({ ...record, expires, models, requestsPerMinute, tokensPerMinute })) as KeyRecord; // without what is undefined
}

function stateOf({ revoked, expires }: Pick<KeyRecord, 'revoked' | 'expires'>): 'active' | 'revoked' | 'expired' {
  if (revoked !== undefined) return 'revoked';
  return expires !== undefined && Date.parse(expires) <= Date.now() ? 'expired' : 'active';
}

/** Says which file it is about. */
async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new CliError(`${path}: expected a file of keys, got none; make one with \`embeddings keys create NAME\``, {
        cause: error,
      });
    if (code === 'ELOCKED')
      throw new CliError(`${path}: another edit holds ${path}.lock; try again when it has ended`, { cause: error });
    if (error instanceof KeyFileError && !message.startsWith(path))
      throw new CliError(message.replaceAll(/^/gm, `${path}: `), { cause: error });
    throw code === undefined ? error : new CliError(`${path}: ${message}`, { cause: error });
  }
}
