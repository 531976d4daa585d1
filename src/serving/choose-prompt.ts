import { ServiceError } from '../errors.ts';
import { findName, isDocument } from './find-name.ts';

/** How a request says what its texts are for. */
export interface PromptWish {
  readonly promptName?: string | undefined;
  readonly inputType?: string | undefined;
  readonly task?: string | undefined;
}

export interface PromptSources {
  /** Of the model's files, by name. */
  readonly prompts: ReadonlyMap<string, string>;
  /** Adapters and routes of the model: names that `input_type` and `task` may have without a prompt. */
  readonly variants: readonly string[];
  /** Words of the model's line in the allowlist. */
  readonly line: { readonly prompt?: string; readonly task?: string };
  /** Of a text for which nobody asks for one. */
  readonly defaultPrompt: string | undefined;
}

/**
 * The text to put before every input, '' for none. What the request names comes first (`prompt_name`, then
 * `input_type`, then `task`), then the allowlist, then the model's default.
 * @throws ServiceError `invalid_value` naming the field that names nothing this model has
 */
export function choosePrompt({ promptName, inputType, task }: PromptWish, sources: PromptSources): string {
  const { prompts, line, defaultPrompt } = sources;
  const asked = [
    promptName === undefined ? undefined : namedPrompt(promptName, prompts),
    inputType === undefined ? undefined : promptFor('input_type', inputType, sources),
    task === undefined ? undefined : promptFor('task', task, sources),
  ];
  const ofLine = line.prompt ?? (line.task === undefined ? undefined : promptOf(line.task, prompts));
  return asked.find((prompt) => prompt !== undefined) ?? ofLine ?? defaultPrompt ?? '';
}

function namedPrompt(name: string, prompts: ReadonlyMap<string, string>): string {
  const prompt = prompts.get(name);
  if (prompt === undefined) throw unknownName('prompt_name', name, [...prompts.keys()]);
  return prompt;
}

/** Undefined where the name is known and has no prompt of its own. */
function promptFor(
  param: 'input_type' | 'task',
  name: string,
  { prompts, variants }: PromptSources,
): string | undefined {
  const names = [...prompts.keys()];
  const prompt = promptOf(name, prompts);
  if (prompt !== undefined) return prompt;
  if (findName(name, variants) !== undefined) return undefined;
  // Models that put something before questions only say nothing about documents.
  if (isDocument(name) && findName('query', names) !== undefined) return '';
  throw unknownName(param, name, [...new Set([...variants, ...names])]);
}

function promptOf(name: string, prompts: ReadonlyMap<string, string>): string | undefined {
  const found = findName(name, [...prompts.keys()]);
  return found === undefined ? undefined : prompts.get(found);
}

const maxListedNames = 40; // some models have one for every benchmark

function unknownName(param: string, got: string, names: readonly string[]): ServiceError {
  const list = names.slice(0, maxListedNames).join(', ') + (names.length > maxListedNames ? ', ...' : '');
  const expected =
    names.length === 0 ? 'This model has no prompts and no tasks: leave it out.' : `This model has: ${list}.`;
  return new ServiceError('invalid_value', { param, got, expected });
}
