import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ServiceError } from '../../src/errors.ts';
import { cli, fakeEmbed, fakeSource, startCli } from './fake-context.ts';

test('texts given as arguments come back as the object of the API', async () => {
  const { stdout, stderr, exitCode, closed, listening } = await cli(['embed', 'hi', 'hello']);
  expect(JSON.parse(stdout)).toEqual({
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: [2, 0, 0.5] },
      { object: 'embedding', index: 1, embedding: [5, 1, 0.5] },
    ],
    model: 'sentence-transformers/all-MiniLM-L6-v2',
    usage: { prompt_tokens: 7, total_tokens: 7 },
  });
  expect([stderr, exitCode, closed, listening]).toEqual(['', 0, 1, 0]);
});

test('the model and the dimensions asked for reach the app', async () => {
  const { stdout } = await cli(['embed', '-m', 'two', '--dimensions', '1', 'hi']);
  expect(JSON.parse(stdout)).toMatchObject({ model: 'two', data: [{ embedding: [2] }] });
});

test('the prompt, the input type and the task asked for reach the app with every request', async () => {
  const seen: unknown[] = [];
  const embed: typeof fakeEmbed = (request, signal) => {
    const { items: _, ...fields } = request;
    seen.push(fields);
    return fakeEmbed(request, signal);
  };
  const flags = ['--prompt-name', 'a', '--input-type', 'query', '--task', 'b'];
  await cli(['embed', '-m', 'two', ...flags, 'hi', 'x'.repeat(64_000)], { app: { embed } });
  expect(seen).toEqual(Array(2).fill({ model: 'two', promptName: 'a', inputType: 'query', task: 'b' }));
  seen.length = 0;
  await cli(['embed', '-m', 'two', 'hi'], { app: { embed } });
  expect(seen).toEqual([{ model: 'two' }]);
});

test('base64 gives one vector a line, the same numbers as the JSON', async () => {
  const { stdout } = await cli(['embed', '--format', 'base64', 'hi', 'hello']);
  const vectors = stdout
    .trimEnd()
    .split('\n')
    .map((line) => [...new Float32Array(new Uint8Array(Buffer.from(line, 'base64')).buffer)]);
  expect(vectors).toEqual([
    [2, 0, 0.5],
    [5, 1, 0.5],
  ]);
});

test('vectors of real length are whole in every format', async () => {
  const data = Float32Array.from({ length: 2 * 384 }, (_, index) => Math.fround(-Math.sin(index) / 3e9));
  const embed: typeof fakeEmbed = async () => ({
    vectors: { data, rows: 2, dim: 384 },
    promptTokens: 2,
    cuts: [],
    source: fakeSource,
  });
  const lines = async (format: string): Promise<string[]> =>
    (await cli(['embed', 'a', 'b', '--format', format], { app: { embed } })).stdout.trimEnd().split('\n');
  const fromBase64 = (await lines('base64')).flatMap((line) => [
    ...new Float32Array(new Uint8Array(Buffer.from(line, 'base64')).buffer),
  ]);
  const fromJson = (await lines('ndjson')).flatMap((line) =>
    (JSON.parse(line) as { embedding: number[] }).embedding.map(Math.fround),
  );
  expect(fromBase64).toEqual([...data]);
  expect(fromJson).toEqual([...data]);
});

test('stdin is one text a line, whatever the chunks, line ends and missing last line end', async () => {
  const bytes = Buffer.from('\uFEFFone\r\ntwö\u2028still two\nthree🙂');
  const stdin = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const { stdout } = await cli(['embed', '--format', 'ndjson'], { stdin });
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { index: number; embedding: number[] });
  expect(rows.map(({ index, embedding }) => [index, embedding[0]])).toEqual([
    [0, 3],
    [1, 13],
    [2, 7],
  ]);
});

test('a long input is cut into bounded requests, and rows keep their order when later ones are faster', async () => {
  const sizes: number[] = [];
  let most = 0;
  let running = 0;
  const held: (() => void)[] = [];
  const embed: typeof fakeEmbed = async (request) => {
    sizes.push(request.items.length);
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => {
      held.unshift(resolve); // the latest first
      if (held.length === 4 || sizes.length > 8) for (const release of held.splice(0)) release();
    });
    running--;
    return await fakeEmbed(request);
  };
  const stdin = Array.from({ length: 1025 }, (_, index) => `${'x'.repeat((index % 50) + 1)}\n`);
  const { stdout, exitCode } = await cli(['embed'], { stdin, app: { embed } });
  const { data, usage } = JSON.parse(stdout) as {
    data: { index: number; embedding: number[] }[];
    usage: { prompt_tokens: number };
  };
  expect(data.map(({ index }) => index)).toEqual(stdin.map((_, index) => index));
  expect(data.map(({ embedding }) => embedding[0])).toEqual(stdin.map((line) => line.length - 1));
  expect(usage.prompt_tokens).toBe(stdin.reduce((sum, line) => sum + line.length - 1, 0));
  expect([Math.max(...sizes), most, exitCode]).toEqual([128, 4, 0]);
});

test('a request never holds more texts or characters than the settings allow', async () => {
  const requests: number[][] = [];
  const embed: typeof fakeEmbed = (request) => {
    requests.push(request.items.map((item) => (item.kind === 'text' ? item.text.length : 0)));
    return fakeEmbed(request);
  };
  const flags = ['--max-batch-size', '3', '--max-request-tokens', '400'];
  await cli(['embed', ...flags, 'a', 'b', 'c', 'd', 'x'.repeat(150), 'y'.repeat(90), 'z'.repeat(11)], {
    app: { embed },
  });
  expect(requests).toEqual([[1, 1, 1], [1], [150], [90], [11]]);
});

test.each([
  ['an empty line', ['a\n\nb\n'], 'line 2 of stdin is empty'],
  ['bytes that are no UTF-8', [Uint8Array.of(97, 10, 0xff, 10)], 'stdin: expected UTF-8 text'],
  ['a character cut off at the end', [Uint8Array.of(97, 0xe2, 0x82)], 'stdin: expected UTF-8 text'],
  [
    'a line without end',
    Array<string>(20).fill('x'.repeat(1000)),
    'line 1 of stdin: expected at most 9999 characters, got 10000 or more',
  ],
  ['nothing', [], 'expected at least one text'],
])('%s on stdin is one clear line and exit code 1', async (_, stdin, message) => {
  const { stdout, stderr, exitCode, closed } = await cli(['embed', '--max-input-characters', '9999'], { stdin });
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  expect(stderr).toContain(message);
  expect([stdout, exitCode, closed]).toEqual(['', 1, 1]);
});

test.each([
  ['no texts on a terminal', ['embed'], 'give them as arguments, with --file, or one a line on stdin'],
  ['texts and a file', ['embed', 'a', '--file', 'b'], 'got both'],
  ['a zero dimension', ['embed', 'a', '-d', '0'], 'Expected a whole number from 1'],
  ['an unknown format', ['embed', 'a', '--format', 'xml'], 'Allowed choices are json, base64, ndjson'],
  ['an unknown flag', ['embed', 'a', '--prot', '1'], "unknown option '--prot'"],
  ['a bad setting', ['embed', 'a', '--threads', 'x'], 'EMBEDDINGS_THREADS (--threads, from flag)'],
])('%s is wrong usage: exit code 2 and nothing started', async (_, argv, message) => {
  const { stdout, stderr, exitCode, created } = await cli(argv, { isTTY: true });
  expect(stderr).toContain(message);
  expect([stdout, exitCode, created]).toEqual(['', 2, []]);
});

test('an error about one input names its line in the source, not its place in the request', async () => {
  const embed: typeof fakeEmbed = (request) => {
    const index = request.items.findIndex((item) => item.kind === 'text' && item.text === 'bad');
    if (index < 0) return fakeEmbed(request);
    throw new ServiceError('context_length_exceeded', { param: `input[${index}]`, max: 512, got: 600 });
  };
  const stdin = [...Array<string>(200).fill('ok\n'), 'bad\n'];
  const { stderr, exitCode, closed } = await cli(['embed'], { stdin, app: { embed } });
  expect(stderr).toMatch(/^error: line 201 of stdin: This model's maximum context length is 512 tokens/);
  expect([exitCode, closed]).toEqual([1, 1]);
});

test('a vector with NaN is an error, never printed', async () => {
  const embed: typeof fakeEmbed = async () => ({
    vectors: { data: Float32Array.of(1, Number.NaN), rows: 2, dim: 1 },
    promptTokens: 2,
    cuts: [],
    source: fakeSource,
  });
  const { stdout, stderr, exitCode } = await cli(['embed', 'a', 'b'], { app: { embed } });
  expect(stderr).toMatch(/^error: text 2: The model gave a vector with NaN/);
  expect([stdout, exitCode]).toEqual(['', 1]);
});

test('a text that was cut is named on stderr', async () => {
  const embed: typeof fakeEmbed = async (request) => ({
    ...(await fakeEmbed(request)),
    cuts: [{ index: 1, fullTokens: 600, keptTokens: 512 }],
  });
  const { stderr, exitCode } = await cli(['embed', 'a', 'b'], { app: { embed } });
  expect([stderr, exitCode]).toEqual(['warning: text 2 was cut from 600 to 512 tokens\n', 0]);
});

test('a reader that goes away ends the work quietly and closes the app', async () => {
  let requests = 0;
  const embed: typeof fakeEmbed = (request) => (requests++, fakeEmbed(request));
  const stdout = new Writable({
    write: (_, __, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  });
  const stdin = (function* endless() {
    for (;;) yield 'x\n'.repeat(1000);
  })();
  const { stderr, exitCode, closed } = await cli(['embed', '--format', 'ndjson'], { stdin, stdout, app: { embed } });
  expect([stderr, exitCode, closed]).toEqual(['', 0, 1]);
  expect(requests).toBeLessThan(20);
});

test('a signal while waiting for input aborts the requests and closes the app', async () => {
  let signalOfRequest: AbortSignal | undefined;
  const embed: typeof fakeEmbed = (_, signal) => {
    signalOfRequest = signal;
    return new Promise((__, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
      queueMicrotask(() => run.signal('SIGINT'));
    });
  };
  const run = startCli(['embed', 'a'], { app: { embed } });
  expect(await run.exitCode).toBe(130);
  expect(signalOfRequest?.aborted).toBe(true);
  expect([run.output.stderr, run.closedTimes()]).toEqual(['error: stopped by SIGINT\n', 1]);
});

test('a file is read as lines, and a missing one or a folder is an error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'embeddings-file-'));
  try {
    writeFileSync(join(folder, 'texts.txt'), 'one\nthree\n');
    const { stdout } = await cli(['embed', '--file', join(folder, 'texts.txt')]);
    expect(JSON.parse(stdout)).toMatchObject({ data: [{ embedding: [3, 0, 0.5] }, { embedding: [5, 1, 0.5] }] });
    for (const [path, reason] of [
      [join(folder, 'none'), 'does not exist'],
      [folder, 'is a folder'],
    ] as const) {
      const { stderr, exitCode } = await cli(['embed', '--file', path]);
      expect([stderr, exitCode]).toEqual([`error: expected a text file, got ${path}, which ${reason}\n`, 1]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the log of embed goes to stderr and is silent below warnings unless asked for', async () => {
  const levels = async (argv: string[]): Promise<unknown> => {
    const { created } = await cli(['embed', 'a', ...argv]);
    const logger = created[0]?.['logger'] as { level: string; bindings: () => unknown };
    return [logger.level, logger.bindings()];
  };
  expect(await levels([])).toEqual(['warn', { to: 'stderr' }]);
  expect(await levels(['--log-level', 'debug'])).toEqual(['debug', { to: 'stderr' }]);
});
