import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashApiKey } from './api-key.ts';
import { addKey, KeyFileError, parseKeyFile, revokeKey } from './key-file.ts';
import type { KeyRecord } from './key-record.ts';

const created = '2026-11-24T12:00:00.000Z';
const record = (name: string, more: Partial<KeyRecord> = {}): KeyRecord => ({
  name,
  hash: hashApiKey(name),
  created,
  ...more,
});
const line = (fields: object): string => JSON.stringify({ ...record('app'), ...fields });
const hexOf = (name: string): string => hashApiKey(name).slice(7);

test('one key a line; comments and empty lines are none', () => {
  const full = record('b', {
    expires: '2027-01-01',
    models: ['BAAI/*', 'e5-query'],
    requestsPerMinute: 60,
    tokensPerMinute: 1_000_000,
    revoked: true,
  });
  const text = `\uFEFF# our keys\r\n${JSON.stringify(record('a'))}\r\n\n${JSON.stringify(full)}`;
  expect(parseKeyFile(text)).toEqual([
    { line: 2, record: record('a') },
    { line: 4, record: full },
  ]);
  expect(parseKeyFile('')).toEqual([]);
});

test.each([
  ['{', 'a JSON object on one line'],
  ['[]', 'a JSON object on one line'],
  ['null', 'a JSON object on one line'],
  [line({ expire: '2027-01-01' }), 'one of the fields name, hash, created, expires, .*, got "expire"'],
  [line({ name: '' }), 'as name, got ""'],
  [line({ name: 'env-1' }), 'as name, got "env-1"'],
  [line({ name: 'anyone' }), 'as name'],
  [line({ name: 'a b' }), 'as name'],
  [line({ name: 'sk-emb-oops' }), 'as name, got something else'],
  ['{"name":"app"}', 'as hash, got nothing'],
  [line({ hash: 'sk-emb-oops' }), ' as hash, got something else'],
  [line({ created: undefined }), 'as created, got nothing'],
  [line({ expires: '90d' }), 'a time such as 2027-01-01 .* as expires, got "90d"'],
  [line({ expires: '2027-02-30' }), 'as expires'],
  [line({ expires: '2027-13-01' }), 'as expires'],
  [line({ expires: '2027-01-01T12:00:00' }), 'as expires'], // in which zone?
  [line({ expires: 1_800_000_000 }), 'as expires'],
  [line({ models: [] }), 'a list of names .* as models, got \\[\\]'],
  [line({ models: 'BAAI/*' }), 'as models'],
  [line({ requestsPerMinute: 0 }), 'a whole number from 1 as requestsPerMinute, got 0'],
  [line({ tokensPerMinute: 1.5 }), 'as tokensPerMinute'],
  [line({ revoked: false }), 'as revoked, got false'],
])('%s is an error that names the line and the field', (bad, message) => {
  const text = `# a comment\n${bad}\n`;
  expect(() => parseKeyFile(text)).toThrow(KeyFileError);
  expect(() => parseKeyFile(text)).toThrow(new RegExp(`^line 2: expected .*${message}`));
});

test('every bad line is named, and no error repeats a hash or what stands in its place', () => {
  const text = [line({}), line({ hash: hashApiKey('x') }), line({ name: 'c' }), line({ hash: 'sk-emb-secret' })].join(
    '\n',
  );
  try {
    parseKeyFile(text);
    expect.unreachable();
  } catch (error) {
    const { message } = error as Error;
    expect(message.split('\n')).toEqual([
      'line 2: expected a name used once, got that of line 1 again',
      'line 3: expected a hash used once, got that of line 1 again',
      expect.stringMatching(/^line 4: /),
    ]);
    expect(message).not.toMatch(new RegExp(`secret|${hexOf('app')}|${hexOf('x')}`));
  }
});

test('any text is keys or a KeyFileError', () => {
  const anyLine = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(fc.constantFrom(...Object.keys(record('a')), 'models', 'revoked'), fc.jsonValue())
      .map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(fc.array(anyLine), (lines) => {
      try {
        parseKeyFile(lines.join('\n'));
      } catch (error) {
        expect(error).toBeInstanceOf(KeyFileError);
      }
    }),
  );
});

test('a key is added as a line of its own and revoked on its line; the rest stays byte for byte', () => {
  const before = `# hands off\n{ "name": "odd",  "hash": "${hashApiKey('odd')}", "created": "2026-01-01" }`;
  const added = addKey(before, record('app', { models: ['acme/*'] }));
  expect(added).toBe(`${before}\n${JSON.stringify(record('app', { models: ['acme/*'] }))}\n`);
  const revoked = revokeKey(added, 'odd', created);
  expect(revoked.split('\n')[1]).toBe(
    JSON.stringify({ ...record('odd', { created: '2026-01-01' }), revoked: created }),
  );
  expect(revoked.split('\n').toSpliced(1, 1)).toEqual(added.split('\n').toSpliced(1, 1));
  expect(revokeKey(revoked, 'odd', '2030-01-01')).toBe(revoked);
});

test('a name that is there cannot be added, and one that is not cannot be revoked', () => {
  const text = addKey('', record('app'));
  expect(() => addKey(text, record('app'))).toThrow('line 1: there is a key called app; choose another name');
  expect(() => addKey(revokeKey(text, 'app', created), record('app'))).toThrow('a revoked key called app');
  expect(() => revokeKey(text, 'ap', created)).toThrow('there is no key called ap; the names are: app');
  expect(() => addKey('{', record('app'))).toThrow(/^line 1: /);
});
