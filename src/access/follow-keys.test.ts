import { expect, test } from 'vitest';
import { createFakeFiles } from '../../tests/util/fake-files.ts';
import { hashApiKey } from './api-key.ts';
import { followKeys } from './follow-keys.ts';

const path = '/etc/embeddings/keys.jsonl';
const line = (name: string, more = {}): string =>
  `${JSON.stringify({ name, hash: hashApiKey(`sk-${name}`), created: '2026-01-01', ...more })}\n`;

function setUp(text: string | undefined, { mode = 0o100600 } = {}) {
  const fake = createFakeFiles(text === undefined ? {} : { [path]: text });
  const open = (apiKeysFile: string | undefined = path, apiKeys: readonly string[] = ['plain']) =>
    followKeys({ apiKeys, apiKeysFile, modeOf: () => mode, ...fake });
  return { ...fake, open };
}

test('no keys at all are an open server, and keys of the environment alone need no file', () => {
  const { open, pending } = setUp(undefined);
  expect(followKeys({ apiKeys: [], apiKeysFile: undefined, log: setUp('').log })).toBeUndefined();
  const keys = followKeys({ apiKeys: ['plain'], apiKeysFile: undefined, log: setUp('').log });
  expect(keys?.find('plain')).toEqual({ caller: { name: 'env-1' } });
  expect(() => open()).toThrow(/^\/etc\/embeddings\/keys.jsonl: expected a readable file of keys/);
  expect(pending()).toBe(0);
});

test('keys of the file come and go while the server runs', () => {
  const { open, write, advance, lines } = setUp(line('a'));
  const keys = open();
  expect(keys?.find('sk-a')).toHaveProperty('caller.name', 'a');
  expect(keys?.find('plain')).toHaveProperty('caller.name', 'env-1');
  write(path, line('a', { revoked: true }) + line('b'));
  advance(50);
  expect(keys?.find('sk-a')).toEqual({ refused: 'revoked' });
  expect(keys?.find('sk-b')).toHaveProperty('caller.name', 'b');
  expect(lines).toEqual([`info key file changed {"path":"${path}","keys":2}`]);
});

test.each([
  ['a bad line', `${line('b')}{`, 'line 2: expected a JSON object'],
  ['an empty file', '# none\n', 'at least one key'],
  ['no file', undefined, 'ENOENT'],
])('%s is an error in the log and the last good keys stay', (_, bad, reason) => {
  const { open, write, advance, lines } = setUp(line('a'));
  const keys = open();
  write(path, bad);
  advance(5000);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^error key file is bad, the last good one stays/);
  expect(lines[0]).toContain(reason);
  expect(keys?.find('sk-a')).toHaveProperty('caller.name', 'a');
  expect(keys?.find('sk-b')).toEqual({ refused: 'unknown' });
});

test('a bad file at the start names the file, every bad line, and no hash', () => {
  const { open } = setUp(`{\n${line('a')}{}`);
  expect(() => open()).toThrow(
    /^\/etc\/embeddings\/keys.jsonl line 1: [^\n]+\n\/etc\/embeddings\/keys.jsonl line 3: [^\n]+$/,
  );
  expect(() => setUp('').open()).toThrow('make one with `embeddings keys create`');
});

test.each([
  [0o600, 0],
  [0o640, 0],
  [0o644, 1],
  [0o660, 1],
  [0o602, 1],
])('mode %o gives %i warnings', (mode, count) => {
  const { open, lines } = setUp(line('a'), { mode: 0o100000 | mode });
  open()?.close();
  expect(lines.filter((each) => each.startsWith('warn others may read or write'))).toHaveLength(count);
});
