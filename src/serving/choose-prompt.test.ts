import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { choosePrompt, type PromptSources, type PromptWish } from './choose-prompt.ts';
import { findName } from './find-name.ts';

const prompts = { query: 'q: ', passage: 'p: ', clustering: 'c: ' };

function choose(
  wish: PromptWish,
  { names = prompts, ...rest }: Partial<Omit<PromptSources, 'prompts'>> & { names?: Record<string, string> } = {},
): string {
  const sources = { prompts: new Map(Object.entries(names)), variants: [], line: {}, defaultPrompt: undefined };
  return choosePrompt(wish, { ...sources, ...rest });
}

test('nothing asked for is the prompt of the line, else of its task, else the default, else none', () => {
  const line = { prompt: 'line: ', task: 'clustering' };
  expect(choose({}, { line, defaultPrompt: 'd: ' })).toBe('line: ');
  expect(choose({}, { line: { task: 'clustering' }, defaultPrompt: 'd: ' })).toBe('c: ');
  expect(choose({}, { line: { task: 'adapter' }, defaultPrompt: 'd: ' })).toBe('d: ');
  expect(choose({}, { defaultPrompt: 'd: ' })).toBe('d: ');
  expect(choose({})).toBe('');
});

test('what a request names comes before the line and the default: prompt_name, then input_type, then task', () => {
  const others = { line: { prompt: 'line: ' }, defaultPrompt: 'd: ' };
  expect(choose({ task: 'clustering' }, others)).toBe('c: ');
  expect(choose({ task: 'clustering', inputType: 'passage' }, others)).toBe('p: ');
  expect(choose({ task: 'clustering', inputType: 'passage', promptName: 'query' }, others)).toBe('q: ');
  expect(choose({ promptName: 'empty' }, { ...others, names: { empty: '' } })).toBe('');
});

test('input_type and task take the words of other services; prompt_name is exact', () => {
  for (const word of ['search_query', 'retrieval.query', 'question']) expect(choose({ inputType: word })).toBe('q: ');
  for (const word of ['document', 'search_document', 'corpus']) expect(choose({ task: word })).toBe('p: ');
  expect(() => choose({ promptName: 'document' })).toThrow(ServiceError);
});

test('a model that has a prompt for queries only puts nothing before documents', () => {
  expect(choose({ inputType: 'document' }, { names: { query: 'q: ' }, defaultPrompt: 'd: ' })).toBe('');
  expect(() => choose({ inputType: 'document' }, { names: { clustering: 'c: ' } })).toThrow(ServiceError);
});

test('an adapter or a route without a prompt is known and leaves the choice to the others', () => {
  expect(choose({ task: 'separation' }, { variants: ['separation'], defaultPrompt: 'd: ' })).toBe('d: ');
  expect(choose({ inputType: 'query' }, { variants: ['retrieval.query'], names: {} })).toBe('');
});

test.each([
  [{ promptName: 'x' }, 'prompt_name', 'x. This model has: query, passage, clustering.'],
  [{ inputType: 'classification' }, 'input_type', 'classification. This model has: a, query, passage, clustering.'],
  [{ task: 'toString' }, 'task', 'toString. This model has: a, query, passage, clustering.'],
])('%j is refused: the field is named and what the model has is listed', (wish, param, words) => {
  try {
    choose(wish, { variants: ['a'] });
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_value', status: 400, details: { param } });
    expect((error as ServiceError).message).toContain(words);
  }
});

test('a model without prompts says so, and a long list is cut', () => {
  expect(() => choose({ inputType: 'query' }, { names: {} })).toThrow(/no prompts and no tasks: leave it out/);
  const names = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`task${i}`, '']));
  expect(() => choose({ task: 'x' }, { names })).toThrow(/task39, \.\.\.\.$/);
});

test('a name means itself before any other of its family', () => {
  expect(findName('passage', ['document', 'passage'])).toBe('passage');
  expect(findName('passage', ['corpus', 'document'])).toBe('document');
  expect(findName('passage', ['query'])).toBeUndefined();
});
