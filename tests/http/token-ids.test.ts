import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tiktoken } from 'js-tiktoken/lite';
import cl100k from 'js-tiktoken/ranks/cl100k_base';
import o200k from 'js-tiktoken/ranks/o200k_base';
import { afterAll, expect, test } from 'vitest';
import { createTestApp } from '../parity/harness.ts';

const model = 'sentence-transformers/all-MiniLM-L6-v2';
const folder = mkdtempSync(join(tmpdir(), 'embeddings-token-ids-'));
const list = (lines: string): string => {
  const path = join(folder, `list-${lines.length}.txt`);
  writeFileSync(path, lines);
  return path;
};
const supportedModels = list(
  `${model}\n${['tiktoken', 'cl100k_base', 'o200k_base', 'reject'].map((word) => `${model} alias=${word} token_ids=${word}\n`).join('')}${model} alias=prompted token_ids=tiktoken prompt="query: "\n`,
);
const app = await createTestApp({ supportedModels, port: '0', preload: 'none' });
const { url } = await app.listen();
const cutting = await createTestApp({
  supportedModels,
  port: '0',
  preload: 'none',
  truncateInputs: 'true',
  tokenIds: 'tiktoken',
});
const { url: cuttingUrl } = await cutting.listen();
afterAll(async () => {
  await Promise.all([app.close(), cutting.close()]);
  rmSync(folder, { recursive: true });
});

const encodings = { cl100k: new Tiktoken(cl100k), o200k: new Tiktoken(o200k) };
const encode = (text: string, name: keyof typeof encodings = 'cl100k') => encodings[name].encode(text, [], []);

interface Answer {
  readonly status: number;
  readonly vectors: readonly (readonly number[])[];
  readonly tokens: number;
  readonly error?: { readonly message: string; readonly param: string; readonly code: string; readonly type: string };
  readonly headers: Headers;
}

async function embed(name: string, input: unknown, at = url): Promise<Answer> {
  const response = await fetch(`${at}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: name, input }),
  });
  const body = (await response.json()) as {
    data?: { embedding: number[] }[];
    usage?: { prompt_tokens: number };
    error?: Answer['error'];
  };
  const vectors = (body.data ?? []).map(({ embedding }) => embedding);
  return {
    status: response.status,
    vectors,
    tokens: body.usage?.prompt_tokens ?? 0,
    headers: response.headers,
    ...(body.error && { error: body.error }),
  };
}

function expectClose({ vectors: got }: Answer, { vectors: wanted }: Answer): void {
  expect(got).toHaveLength(wanted.length);
  expect(wanted.length).toBeGreaterThan(0);
  for (const [row, vector] of wanted.entries())
    for (const [i, value] of vector.entries()) expect(Math.abs(got[row]![i]! - value)).toBeLessThanOrEqual(1e-6);
}

const texts = [
  'The quick brown fox',
  'Zażółć gęślą jaźń 🦊',
  '\u{feff}日本語のテキスト',
  '<|endoftext|>',
  '  two  spaces\n',
];

test.each([
  ['tiktoken', 'cl100k'],
  ['cl100k_base', 'cl100k'],
  ['o200k_base', 'o200k'],
] as const)('token_ids=%s gives the vectors and the usage of the text', async (name, encoding) => {
  const wanted = await embed(model, texts);
  const got = await embed(
    name,
    texts.map((text) => encode(text, encoding)),
  );
  expect(got.status).toBe(200);
  expectClose(got, wanted);
  expect(got.tokens).toBe(wanted.tokens);
  expectClose(await embed(name, encode(texts[0]!, encoding)), await embed(model, texts[0]));
  expectClose(await embed(name, texts), wanted); // texts stay texts
});

test('a prompt is put before the text of token ids, and the answer says so', async () => {
  const got = await embed('prompted', [encode('red fox')]);
  expectClose(got, await embed(model, ['query: red fox']));
  expect(got.headers.get('x-embeddings-model')).toContain('prompt=query%3A%20');
});

test('a character cut in two between two inputs is the replacement character in each', async () => {
  const ids = encode('🫠');
  expect(ids.length).toBeGreaterThan(1);
  expectClose(await embed('tiktoken', [[...encode('ice'), ids[0]]]), await embed(model, ['ice\u{fffd}']));
});

test('an id that is none of the encoding is refused by item and position', async () => {
  const { status, error } = await embed('tiktoken', [[15_339], [15_339, 100_261]]);
  expect(status).toBe(400);
  expect(error).toMatchObject({ param: 'input[1]', code: 'tiktoken_id_unknown', type: 'invalid_request_error' });
  expect(error?.message).toMatch(/cl100k_base.*got 100261 at position 1/);
});

test('token_ids=reject refuses every id and takes texts', async () => {
  const { status, error } = await embed('reject', [[101, 7592, 102]]);
  expect(status).toBe(400);
  expect(error).toMatchObject({ param: 'input[0]', code: 'token_ids_rejected' });
  expect(error?.message).toContain('check_embedding_ctx_length=False');
  expect((await embed('reject', ['hello'])).status).toBe(200);
});

test('without the word ids are those of the model, and ids of another tokenizer name both ways out', async () => {
  expectClose(await embed(model, [[101, 7592, 102]]), await embed(model, ['hello']));
  const { status, error } = await embed(model, [[101], encode('hello 🦊 <|endoftext|>')]);
  expect(status).toBe(400);
  expect(error).toMatchObject({ param: 'input[1]', code: 'token_id_out_of_range' });
  expect(error?.message).toContain('check_embedding_ctx_length=False');
  expect(error?.message).toContain('token_ids=tiktoken');
});

test('a text of too many tokens is refused in the words of OpenAI, or cut where the setting says so', async () => {
  const long = 'word '.repeat(600);
  const { status, error } = await embed('tiktoken', [encode('short'), encode(long)]);
  expect(status).toBe(400);
  expect(error?.param).toBe('input[1]');
  expect(error?.message).toContain('maximum context length is 512 tokens, however you requested 602 tokens');
  const cut = await embed('tiktoken', [encode('short'), encode(long)], cuttingUrl);
  expect(cut.headers.get('x-embeddings-truncated')).toBe('1:602>512');
  expectClose(cut, await embed(model, ['short', long], cuttingUrl));
});

test('the setting is what lines without the word follow, and a word wins over it', async () => {
  expectClose(await embed(model, [encode('red fox')], cuttingUrl), await embed(model, ['red fox']));
  expect((await embed('reject', [[101]], cuttingUrl)).error?.code).toBe('token_ids_rejected');
});

test('/v1/models says what token ids stand for', async () => {
  const wordOf = async (at: string, id: string) =>
    ((await (await fetch(`${at}/v1/models/${id}`)).json()) as { token_ids: string }).token_ids;
  expect(await wordOf(url, model)).toBe('model');
  expect(await wordOf(url, 'tiktoken')).toBe('tiktoken');
  expect(await wordOf(url, 'reject')).toBe('reject');
  expect(await wordOf(cuttingUrl, model)).toBe('tiktoken');
  expect(await wordOf(cuttingUrl, 'o200k_base')).toBe('o200k_base');
});
