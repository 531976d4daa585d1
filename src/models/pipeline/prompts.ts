import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFields } from '../config-fields.ts';
import { readJsonFile } from '../read-json-file.ts';

/** Texts to put before inputs. */
export interface Prompts {
  /** By the names of config_sentence_transformers.json. */
  readonly named: ReadonlyMap<string, string>;
  /** For a text that asks for none; its authors' choice, which only `pooling=model` follows. */
  readonly fallback: string | undefined;
}

/** The prompts of a model folder. @throws ConfigFieldError naming the file and the field */
export function readPrompts(folder: string): Prompts {
  const fields = readSentenceTransformersConfig(folder);
  const prompts = fields?.nested('prompts');
  const names = Object.keys(prompts?.object ?? {});
  const named = new Map(names.map((name) => [name, prompts?.optionalText(name) ?? ''])); // null is no prompt
  const fallback = fields?.optionalText('default_prompt_name');
  return { named, fallback: fallback === undefined ? undefined : named.get(fallback) };
}

/** How many numbers of a vector are kept; all where it is undefined. @throws ConfigFieldError */
export function readTruncateDim(folder: string): number | undefined {
  const fields = readSentenceTransformersConfig(folder);
  return fields?.has('truncate_dim') === true ? fields.integer('truncate_dim') : undefined;
}

function readSentenceTransformersConfig(folder: string): ConfigFields | undefined {
  const name = 'config_sentence_transformers.json';
  const file = join(folder, name);
  return existsSync(file) ? new ConfigFields(readJsonFile(file), name) : undefined;
}
