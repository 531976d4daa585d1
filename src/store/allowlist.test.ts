import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AllowlistError, parseAllowlist, type AllowlistEntry } from './allowlist.ts';

function problemsOf(text: string): string[] {
  try {
    parseAllowlist(text);
  } catch (error) {
    expect(error).toBeInstanceOf(AllowlistError);
    return (error as Error).message.split('\n');
  }
  throw new Error('expected an AllowlistError');
}

test('ids, comments, empty lines and words are read with their line numbers', () => {
  const text =
    '# list\n\norg/name   # comment\n\tgpt2 alias=small pooling=model pin=true dtype=int8 task=retrieval.query revision=refs/pr/3#x\n';
  expect(() => parseAllowlist(text)).toThrow(
    'line 4: expected a branch, tag or commit after revision=, got "refs/pr/3#x"',
  );
  expect(parseAllowlist(text.replace('#x', ' #x')).entries).toEqual([
    { line: 3, name: 'org/name', repository: 'org/name' },
    {
      line: 4,
      name: 'small',
      repository: 'gpt2',
      alias: 'small',
      pooling: 'model',
      pin: true,
      dtype: 'int8',
      task: 'retrieval.query',
      revision: 'refs/pr/3',
    },
  ]);
});

test('quotes keep spaces, hashes and escapes of a prompt', () => {
  const { entries } = parseAllowlist(String.raw`a/b prompt="Instruct: find # \"x\"\nQuery: " alias=c`);
  expect(entries[0]).toMatchObject({ prompt: 'Instruct: find # "x"\nQuery: ', alias: 'c' });
});

test('one id may stand on several lines under different aliases', () => {
  const { entries } = parseAllowlist('a/b\na/b alias=q\na/b alias=p');
  expect(entries.map(({ name, repository }) => [name, repository])).toEqual([
    ['a/b', 'a/b'],
    ['q', 'a/b'],
    ['p', 'a/b'],
  ]);
});

test.each(['model', 'tiktoken', 'cl100k_base', 'o200k_base', 'reject'] as const)('token_ids=%s is read', (tokenIds) => {
  expect(parseAllowlist(`a/b token_ids=${tokenIds}`).entries[0]).toMatchObject({ tokenIds });
  expect(problemsOf(`a/b token_ids=${tokenIds} token_ids=model`)).toEqual([
    'line 1: expected token_ids= once, got it again as "token_ids=model"',
  ]);
});

test.each([
  [
    'a/b color=red',
    'expected revision=, pooling=, alias=, prompt=, task=, dtype=, token_ids=, pin= after the id, got "color=red"',
  ],
  ['a/b c/d', 'expected revision=, pooling=, alias=, prompt=, task=, dtype=, token_ids=, pin= after the id, got "c/d"'],
  [
    'a/b __proto__=x',
    'expected revision=, pooling=, alias=, prompt=, task=, dtype=, token_ids=, pin= after the id, got "__proto__=x"',
  ],
  ['a/b pooling=cls', 'expected mean or model after pooling=, got "cls"'],
  [
    'a/b token_ids=gpt2',
    'expected model or tiktoken or cl100k_base or o200k_base or reject after token_ids=, got "gpt2"',
  ],
  ['a/b pin=', 'expected true or false after pin=, got ""'],
  ['a/b alias=x alias=y', 'expected alias= once, got it again as "alias=y"'],
  ['a/b alias=../x', 'expected a name of letters, digits and . _ - : @ / after alias=, got "../x"'],
  ['a/b revision=../../x', 'expected a branch, tag or commit after revision=, got "../../x"'],
  ['a/b prompt="x', 'expected a closing ", got the end of the line after "prompt=\\"x"'],
  ['a/b prompt="x"y', 'expected a space after the closing quote, got "y"'],
  [String.raw`a/b prompt="\x"`, 'expected \\n, \\t, \\" or \\\\ in quotes, got "\\\\x"'],
  ['alias=x', 'expected a Hugging Face id such as org/name, got "alias=x"'],
])('the line %s is refused with what was expected', (line, message) => {
  expect(problemsOf(`ok/ok\n${line}`)).toEqual([`line 2: ${message}`]);
});

test.each([
  '../x',
  'a/../b',
  '/etc/passwd',
  'a/b/c',
  'a//b',
  'a/',
  '/a',
  '.',
  '..',
  '-a/b',
  'a/b-',
  'a--b',
  'a..b',
  'x.git',
  'a\\b',
  'ä/b',
  'a/b\0',
  `a/${'x'.repeat(97)}`,
  '~/x',
  'C:/x',
  'http://x/y',
])('%j is no id', (id) => expect(problemsOf(id)[0]).toContain('line 1: expected a Hugging Face id'));

test('every bad line is named at once, and a name used twice names both lines', () => {
  expect(problemsOf('a/b\nbad id\nc/d alias=a/b\na/b')).toEqual([
    'line 2: expected revision=, pooling=, alias=, prompt=, task=, dtype=, token_ids=, pin= after the id, got "id"',
    'line 3: expected a name used once, got "a/b", which is line 1 too; give one of them an alias=',
    'line 4: expected a name used once, got "a/b", which is line 1 too; give one of them an alias=',
  ]);
});

const part = fc.stringMatching(/^[A-Za-z0-9]{1,8}(\.[A-Za-z0-9]{1,4})?$/).filter((id) => !id.endsWith('.git'));
const entry = fc.record(
  {
    repository: fc.tuple(part, part).map((parts) => parts.join('/')),
    revision: fc.constantFrom('main', 'v1.0', 'refs/pr/3', 'a'.repeat(40)),
    pooling: fc.constantFrom('mean' as const, 'model' as const),
    alias: part,
    prompt: fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !/[\r]/.test(text)),
    task: part,
    dtype: fc.constantFrom('float32' as const, 'float16' as const, 'int8' as const),
    pin: fc.boolean(),
  },
  { requiredKeys: ['repository'] },
);

function write({ repository, ...words }: Partial<AllowlistEntry>): string {
  const quoted = (text: string): string =>
    `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  return [
    repository,
    ...Object.entries(words).map(
      ([key, value]) => `${key}=${key === 'prompt' ? quoted(String(value)) : String(value)}`,
    ),
  ].join('  ');
}

test('whatever list is written is read back the same, with any line ends and a byte order mark', () => {
  const list = fc.uniqueArray(entry, { selector: ({ alias, repository }) => alias ?? repository, maxLength: 8 });
  fc.assert(
    fc.property(list, fc.constantFrom('\n', '\r\n', '\r'), fc.constantFrom('', '\uFEFF'), (entries, lineEnd, mark) => {
      const text = mark + entries.map((each) => `${write(each)} # comment`).join(lineEnd);
      const wanted = entries.map((each, index) => ({ line: index + 1, name: each.alias ?? each.repository, ...each }));
      expect(parseAllowlist(text).entries).toEqual(wanted);
    }),
  );
});

test('any text gives a list of unique safe names or an error with line numbers', () => {
  const soup = fc
    .array(fc.oneof(fc.string(), fc.constantFrom('a/b', ' ', '\n', 'alias=', 'prompt="', '"', '\\', '#', '../', '=')))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(soup, (text) => {
      try {
        const { entries } = parseAllowlist(text);
        expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
        for (const { repository } of entries) expect(repository).toMatch(/^[\w.-]+(\/[\w.-]+)?$/);
      } catch (error) {
        expect(error).toBeInstanceOf(AllowlistError);
        for (const line of (error as Error).message.split('\n')) expect(line).toMatch(/^line \d+: expected /);
      }
    }),
    { numRuns: 2000 },
  );
});
