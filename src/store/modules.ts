import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readBounded } from '../util/read-bounded.ts';

/** One step of a sentence-transformers model. */
export interface ModuleEntry {
  /** The class without its Python module: `Pooling` of `sentence_transformers.models.Pooling` and of newer paths. */
  readonly kind: string;
  /** Folder of its files below the model's own, `''` for that itself. */
  readonly path: string;
}

/** Where a repository keeps what its first step needs: config.json, weights and tokenizer. */
export interface ModelRoot {
  readonly folder: string;
  /** Of the first step. A StaticEmbedding is a table: its files say everything without a config.json. */
  readonly kind: string;
}

/**
 * The steps that `modules.json` lists, in order; undefined where the folder has no such file.
 * @throws Error naming the file where it lists no steps, or one whose files lie outside the folder
 */
export function readModules(folder: string): readonly ModuleEntry[] | undefined {
  const file = join(folder, 'modules.json');
  if (!existsSync(file)) return undefined;
  const text = readBounded(file).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ModulesFileError(`Expected JSON in ${file}.`, { cause });
  }
  if (!Array.isArray(json)) throw new ModulesFileError(`Expected a list of modules in ${file}.`);
  return json.map((entry: unknown) => toModuleEntry(entry, file));
}

const maxKindCharacters = 80; // it stands in messages, and the expression above the limit would try every start

/** One entry of the list, checked; `file` is for errors. @throws ModulesFileError */
export function toModuleEntry(entry: unknown, file: string): ModuleEntry {
  const { type, path } = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : {};
  const kind = typeof type === 'string' ? (/\w+$/.exec(type.slice(-maxKindCharacters))?.[0] ?? '') : '';
  if (kind === '') throw new ModulesFileError(`Expected a "type" for every module of ${file}.`);
  if (typeof path !== 'string' || !isBelow(path))
    throw new ModulesFileError(`Expected a "path" below the folder for the module ${kind} of ${file}.`);
  return { kind, path: path === '.' ? '' : path };
}

/** Thrown for a modules.json that is not the list sentence-transformers writes. */
export class ModulesFileError extends Error {}

/**
 * Usually the repository's own folder; some have `0_Transformer/` or `0_StaticEmbedding/`.
 * @throws ModulesFileError where only modules.json could say it and is broken
 */
export function findModelRoot(folder: string): ModelRoot {
  const hasConfig = existsSync(join(folder, 'config.json'));
  const first = (hasConfig ? readModulesIfGood(folder) : readModules(folder))?.[0];
  if (first === undefined) return { folder, kind: 'Transformer' };
  const isElsewhere = first.kind === 'StaticEmbedding' || !hasConfig;
  return { folder: isElsewhere ? join(folder, first.path) : folder, kind: first.kind };
}

/** The folders of the steps after the first. A broken modules.json has none: following it is refused when it is loaded. */
export function listModuleFolders(folder: string): readonly string[] {
  return (readModulesIfGood(folder) ?? []).slice(1).map(({ path }) => path);
}

/** With a config.json at its root the folder is a model whatever modules.json says; only following it is refused. */
function readModulesIfGood(folder: string): readonly ModuleEntry[] | undefined {
  try {
    return readModules(folder);
  } catch {
    return undefined;
  }
}

/** A relative path of plain names; dots alone, a slash in front or a NUL could point anywhere on the disk. */
function isBelow(path: string): boolean {
  return path === '' || path === '.' || path.split('/').every((part) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part));
}
