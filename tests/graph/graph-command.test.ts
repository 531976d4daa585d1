import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cli } from '../cli/fake-context.ts';
import { loadGoldens } from '../parity/goldens.ts';
import { runGraph } from './run-graph.ts';
import { tempFolder } from './temp-folder.ts';
import { openModel } from '../../src/models/open-model.ts';

const tiny = fileURLToPath(new URL('../goldens/models/tiny/bert', import.meta.url));
const bundled = 'sentence-transformers/all-MiniLM-L6-v2';

/** A dumped value as `--json` prints it. */
interface Dump {
  readonly name: string;
  readonly shape: readonly number[];
  readonly ids: readonly (readonly number[])[];
  readonly values: readonly (number | string)[];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly nanCount: number;
}

async function dump(...argv: readonly string[]): Promise<Dump> {
  const { stdout, stderr, exitCode } = await cli(['graph', ...argv, '--json']);
  expect([stderr, exitCode]).toEqual(['', 0]);
  return JSON.parse(stdout) as Dump;
}

test('graph prints the whole graph of a folder; --nodes only its nodes, one a line', async () => {
  const whole = await cli(['graph', tiny]);
  const nodes = await cli(['graph', tiny, '--nodes']);
  expect([whole.stderr, whole.exitCode, nodes.exitCode]).toEqual(['', 0, 0]);
  expect(whole.stdout).toContain('embeddings.word_embeddings.weight  float32 [300, 48]  model.safetensors ');
  expect(whole.stdout.endsWith(`nodes\n${nodes.stdout}`)).toBe(true);
  const lines = nodes.stdout.trimEnd().split('\n');
  expect(lines.map((line) => Number.parseInt(line, 10))).toEqual(lines.map((_, number) => number));
});

test('--provider and --pooling choose the graph', async () => {
  const nodesOf = async (...argv: readonly string[]) => (await cli(['graph', tiny, '--nodes', ...argv])).stdout;
  expect([(await nodesOf()).includes('BiasGelu'), (await nodesOf('--provider', 'cuda')).includes('BiasGelu')]).toEqual([
    false,
    true,
  ]);
  expect([
    (await nodesOf()).includes('pooling/ReduceSum'),
    (await nodesOf('--pooling', 'cls')).includes('pooling/ReduceSum'),
  ]).toEqual([true, false]);
});

test('stopped after the last node, the value is the vector of the reference', async () => {
  const golden = loadGoldens('all-MiniLM-L6-v2', { weights: 'f16' }).find(
    ({ text, ids }) => text !== undefined && ids.length < 40,
  );
  const { shape, ids, values } = await dump(bundled, '--stop-after', 'embeddings', '--text', golden!.text!);
  expect([shape, ids]).toEqual([[1, 384], [[...golden!.ids]]]);
  for (const [index, value] of golden!.vector.entries()) expect(values[index]).toBeCloseTo(value, 4);
});

test('a node is known by number and by name, and several texts make a batch', async () => {
  const argv = ['--text', 'a', '--text', 'a b c d'];
  const byName = await dump(tiny, '--stop-after', 'pooling/Less', ...argv);
  const { stdout } = await cli(['graph', tiny, '--nodes']);
  const number = stdout.split('\n').findIndex((line) => line.includes(' pooling/Less '));
  expect(await dump(tiny, '--stop-after', String(number), ...argv)).toEqual(byName);
  const [short, long] = byName.ids.map((ids) => ids.length);
  expect(long).toBeGreaterThan(short!);
  expect(byName.shape).toEqual([2, long]);
  expect(byName).toMatchObject({ min: 0, max: 1, nanCount: 0, mean: (short! + long!) / (2 * long!) });
});

test('the text output has shape, type, range and the first values', async () => {
  const { stdout, exitCode } = await cli([
    'graph',
    tiny,
    '--stop-after',
    'encoder.layer.0.attention.self/else/Gather',
    '--text',
    'a',
  ]);
  const { values } = await dump(tiny, '--stop-after', 'encoder.layer.0.attention.self/else/Gather', '--text', 'a');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^value +float32 \[1, 3, 48\]$/m);
  expect(stdout).toMatch(/^range +min -?[\d.e-]+, max [\d.e-]+, mean -?[\d.e-]+$/m);
  expect(stdout).toMatch(/^NaN +0$/m);
  expect(stdout).toContain(`${Number((values[0] as number).toPrecision(6))}, `);
  expect(stdout).toContain('(144 in all');
});

test('NaN and infinity are counted and stay visible in JSON', async () => {
  const folder = join(tempFolder(), 'model');
  cpSync(tiny, folder, { recursive: true });
  const view = (await openModel(folder)).tensors.get('embeddings.token_type_embeddings.weight')!;
  const bytes = readFileSync(view.file);
  bytes.writeFloatLE(NaN, view.offset);
  bytes.writeFloatLE(-Infinity, view.offset + 4);
  writeFileSync(view.file, bytes);
  const argv = [folder, '--stop-after', 'embeddings.token_type_embeddings/Gather'];
  const value = await dump(...argv);
  expect(value.values.slice(0, 2)).toEqual(['NaN', '-Infinity']);
  expect(value).toMatchObject({ nanCount: 1, infiniteCount: 1, count: 48 });
  expect(Number.isFinite(value.mean)).toBe(true);
  expect((await cli(['graph', ...argv])).stdout).toMatch(/^NaN +1\ninfinite +1\nvalues +NaN, -Infinity, /m);
});

test('the value of the last node is what the compiled graph gives', async () => {
  const model = await openModel(tiny);
  const { ids, values } = await dump(tiny, '--stop-after', 'embeddings', '--text', 'a b', '--text', 'c');
  const { embeddings } = await runGraph(model.compile({ pooling: 'mean', provider: 'cpu' }), model.weightsFolder, ids);
  expect(values).toEqual(embeddings!.values);
});

test('--pooling model prints the steps of the model itself, also where its files lie in a folder below', async () => {
  const pipeline = (name: string) => fileURLToPath(new URL(`../goldens/models/pipeline/${name}`, import.meta.url));
  const { stdout } = await cli(['graph', pipeline('dense'), '--nodes', '--pooling', 'model']);
  expect(stdout).toMatch(/pooling\/Div[^]*2_Dense\.linear\/Gemm[^]*2_Dense\/Tanh[^]*normalize\/Div/);
  const { ids } = await dump(pipeline('short-legacy'), '--stop-after', 'embeddings', '--text', 'a');
  expect(ids).toEqual([[2, 5, 3]]);
});

test.each<[string, readonly string[], number, RegExp]>([
  ['no model', [], 2, /missing required argument/],
  ['a folder that is none', ['/nowhere'], 2, /model folder \(with config\.json or modules\.json\)/],
  ['a path that climbs', ['../../etc'], 2, /model folder/],
  ['a model that is not here', ['acme/one'], 1, /no files of acme\/one on this machine; looked in /],
  ['a node that is none', [tiny, '--stop-after', 'gelu'], 2, /did you mean encoder\.layer\.0\.intermediate\/Gelu/],
  ['a number past the end', [tiny, '--stop-after', '100000'], 2, /number from 0 to \d+, got 100000/],
  ['--text without --stop-after', [tiny, '--text', 'a'], 2, /expected --stop-after/],
  ['--json without --stop-after', [tiny, '--json'], 2, /expected --stop-after/],
  ['--nodes with --stop-after', [tiny, '--nodes', '--stop-after', '1'], 2, /got both/],
  ['a pooling that is not built', [tiny, '--pooling', 'median'], 2, /Allowed choices are mean, cls, max/],
  [
    'a text longer than the model',
    [tiny, '--stop-after', '1', '--text', 'a '.repeat(90)],
    1,
    /maximum context length is 81 tokens/,
  ],
])('%s is refused with words and exit code', async (_name, argv, code, message) => {
  const { stdout, stderr, exitCode } = await cli(['graph', ...argv]);
  expect(stderr).toMatch(message);
  expect([stdout, exitCode]).toEqual(['', code]);
});
