import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Diagnosis } from '../../src/cli/doctor/diagnosis.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import { loadGoldens } from '../parity/goldens.ts';
import { cli, startCli, type FakeOptions } from './fake-context.ts';

const tiny = fileURLToPath(new URL('../goldens/models/tiny/bert', import.meta.url));
const tinyCls = fileURLToPath(new URL('../goldens/models/tiny/bert-cls', import.meta.url));
const bundled = 'sentence-transformers/all-MiniLM-L6-v2';

async function examine(argv: readonly string[], options?: FakeOptions) {
  const result = await cli(['doctor', ...argv, '--json'], options);
  return { ...result, diagnosis: JSON.parse(result.stdout) as Diagnosis };
}

function copyOf(folder: string): string {
  const copy = join(tempFolder(), 'model');
  cpSync(folder, copy, { recursive: true });
  return copy;
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

/** A command that takes the place of Python: a script of Node that answers with `answer`. */
function fakePython(answer: string): string {
  const file = join(tempFolder(), 'python');
  writeFileSync(file, `#!${process.execPath}\nprocess.stdin.resume().on('end', () => {${answer}});\n`);
  chmodSync(file, 0o755);
  return file;
}

function answering(answer: object): string {
  return fakePython(`console.log('a library says hello'); console.log(${JSON.stringify(JSON.stringify(answer))});`);
}

test('the bundled model is explained from its files to its vector', async () => {
  const { diagnosis, stderr, exitCode } = await examine([bundled, '--text', 'Hello embedding']);
  expect([stderr, exitCode]).toEqual(['', 0]);
  expect(diagnosis).toMatchObject({
    files: { repository: bundled, folder: expect.stringMatching(/models\/sentence-transformers\/all-MiniLM-L6-v2$/) },
    weights: { format: 'safetensors', parameters: 22_713_216, storedAs: { F16: 22_713_216 } },
    architecture: { modelType: 'bert', name: 'bert', shape: { hidden: 384, layers: 6, vocabulary: 30_522 } },
    tensors: { used: 101, notNeeded: 3, notUsed: [] },
    limits: { maxTokens: 512, declared: 256, configured: null },
    pooling: { used: 'mean', declared: 'mean', steps: ['Transformer', 'Pooling', 'Normalize'] },
    resources: { memory: { weightBytes: 4 * 22_713_216 } },
    run: { dimensions: 384, isFinite: true },
    canRun: true,
    problems: [],
  });
  expect(diagnosis.files.places.map(({ kind, problem }) => [kind, problem])).toEqual([
    ['cache', 'no such folder'],
    ['bundled', null],
  ]);
  expect(diagnosis.tokenizer?.pieces).toEqual([
    { id: 101, text: '[CLS]', isSpecial: true },
    { id: 7592, text: 'hello', isSpecial: false },
    { id: 7861, text: 'em', isSpecial: false },
    { id: 8270, text: '##bed', isSpecial: false },
    { id: 4667, text: '##ding', isSpecial: false },
    { id: 102, text: '[SEP]', isSpecial: true },
  ]);
  expect(diagnosis.run?.norm).toBeCloseTo(1, 6);
  expect(diagnosis.run?.aloneToBatch).toBeLessThanOrEqual(1e-6);
  expect(diagnosis.unverified).toEqual(
    expect.arrayContaining([expect.stringMatching(/cut texts at 256/), expect.stringMatching(/stored as F16/)]),
  );
});

test('the text output has every section and ends with the verdict', async () => {
  const { stdout, exitCode } = await cli(['doctor', tinyCls]);
  expect(stdout.match(/^\w[\w ]*$/gm)).toEqual([
    'files',
    'weights',
    'architecture',
    'text',
    'vector',
    'machine',
    'run',
    'not verified',
  ]);
  expect(stdout).toMatch(/^ {2}declared +cls$/m);
  expect(stdout).toMatch(/its authors declare cls pooling, mean is used; pooling=model follows them/);
  expect(stdout).toMatch(/has embeddings\.position_embeddings\.weight/);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`verdict: ${tinyCls} runs`);
  expect(exitCode).toBe(0);
});

test('settings apply: the pooling of the model, a shorter limit, and one runner', async () => {
  const argv = [tinyCls, '--no-run', '--pooling', 'model', '--max-input-tokens', '20', '--replicas', '1'];
  const { diagnosis } = await examine(argv);
  expect(diagnosis).toMatchObject({
    pooling: { wanted: 'model', used: 'cls' },
    limits: { maxTokens: 20, ofModel: 81, configured: 20 },
    resources: { replicas: 1 },
    canRun: true,
  });
  expect(diagnosis.run).toBeUndefined();
});

const models = fileURLToPath(new URL('../goldens/models/', import.meta.url));

test.each([
  ['weights/bin-legacy', { weights: { format: 'PyTorch' }, architecture: { name: 'bert' } }],
  ['weights/onnx', { weights: { format: 'ONNX' }, architecture: { name: 'bert (onnx/model.onnx)', candidates: [] } }],
  ['pipeline/static-folder', { architecture: { name: 'static-embedding' }, tokenizer: { specialTokens: 0 } }],
  ['tiny/jina-embeddings-v3', { pooling: { tasks: expect.arrayContaining(['text-matching']) } }],
  ['tiny/bert-sharded', { weights: { format: 'safetensors', files: { length: 3 } } }],
])('%s runs and is described', async (name, facts) => {
  const { diagnosis, exitCode } = await examine([`${models}${name}`]);
  expect([exitCode, diagnosis.problems]).toEqual([0, []]);
  expect(diagnosis).toMatchObject({ ...facts, canRun: true, run: { isFinite: true } });
});

test('a tokenizer that is built from other files is named with them, and gives the same tokens', async () => {
  const whole = fileURLToPath(new URL(`../../models/${bundled}`, import.meta.url));
  const folder = join(tempFolder(), 'model');
  cpSync(whole, folder, { recursive: true, filter: (path) => !path.endsWith('/tokenizer.json') });
  const { diagnosis } = await examine([folder, '--no-run']);
  expect(diagnosis.tokenizer?.source).toBe('WordPiece built from vocab.txt (BertTokenizer)');
  const { diagnosis: usual } = await examine([whole, '--no-run']);
  expect(usual.tokenizer?.source).toMatch(/^tokenizer\.json/);
  expect(diagnosis.tokenizer?.pieces).toEqual(usual.tokenizer?.pieces);
});

test('the pipeline, the prompt and the length of a model are said and followed only with pooling=model', async () => {
  const folder = `${models}pipeline/default-prompt`;
  const { diagnosis: plain } = await examine([folder, '--no-run']);
  expect(plain.pooling?.defaultPrompt).toEqual(expect.any(String));
  expect(plain.unverified.join('\n')).toMatch(/before every text by default; it is left out/);
  const { diagnosis: followed } = await examine([`${models}pipeline/short`, '--no-run', '--pooling', 'model']);
  expect(followed.limits?.maxTokens).toBe(followed.limits?.declared);
  expect(followed.limits?.maxTokens).toBeLessThan(followed.limits!.ofModel);
});

test('a name of the allowlist is followed to its repository and every place is said', async () => {
  const modelsDir = tempFolder();
  mkdirSync(join(modelsDir, 'acme/two'), { recursive: true });
  const absent = await examine(['two', '--models-dir', modelsDir]);
  expect(absent.exitCode).toBe(1);
  expect(absent.diagnosis).toMatchObject({
    files: { repository: 'acme/two', allowlistLine: 2, folder: null },
    canRun: false,
    problems: [{ what: expect.stringContaining('acme/two'), todo: expect.stringContaining('EMBEDDINGS_MODELS_DIR') }],
  });
  expect(absent.diagnosis.files.places.map(({ problem }) => problem)).toEqual([
    'config.json is missing',
    'no such folder',
    'no such folder',
  ]);
  rmSync(join(modelsDir, 'acme/two'), { recursive: true });
  cpSync(tiny, join(modelsDir, 'acme/two'), { recursive: true });
  const there = await examine(['two', '--models-dir', modelsDir, '--no-run']);
  expect([there.exitCode, there.diagnosis.files.folder]).toEqual([0, join(modelsDir, 'acme/two')]);
});

test('a family that is not built is named with its tensors and what to do', async () => {
  const folder = copyOf(tiny);
  edit(join(folder, 'config.json'), (text) => text.replace('"bert"', '"roformer"'));
  const { diagnosis, exitCode } = await examine([folder]);
  expect(exitCode).toBe(1);
  expect(diagnosis).toMatchObject({
    architecture: { modelType: 'roformer', name: null, candidates: [] },
    canRun: false,
  });
  expect(diagnosis.architecture?.tensorNames).toContain('encoder.layer.*.output.dense.bias');
  expect(diagnosis.problems).toHaveLength(1);
  expect(diagnosis.problems[0]?.what).toMatch(/no graph is built for model_type "roformer"/);
  expect(diagnosis.problems[0]?.todo).toMatch(/docs\/add-a-model\.md/);
});

test.each<[string, (folder: string) => void, RegExp]>([
  [
    'a missing tensor',
    (folder) =>
      edit(join(folder, 'config.json'), (text) => text.replace('"num_hidden_layers": 3', '"num_hidden_layers": 4')),
    /encoder\.layer\.3\.attention/,
  ],
  [
    'a config that is no JSON',
    (folder) => writeFileSync(join(folder, 'config.json'), '{'),
    /Expected JSON in .*config\.json/,
  ],
  [
    'weights cut short',
    (folder) => edit(join(folder, 'model.safetensors'), (text) => text.slice(0, 50)),
    /model\.safetensors/,
  ],
  ['a tokenizer that is none', (folder) => writeFileSync(join(folder, 'tokenizer.json'), '{}'), /tokenizer\.json/],
])('%s is a problem with its name, and exit code 1', async (_name, damage, what) => {
  const folder = copyOf(tiny);
  damage(folder);
  const { diagnosis, exitCode } = await examine([folder]);
  expect(exitCode).toBe(1);
  expect(diagnosis.canRun).toBe(false);
  expect(diagnosis.problems.map((problem) => problem.what).join()).toMatch(what);
});

test('weights that are not finite are found by the run', async () => {
  const folder = copyOf(tiny);
  const bytes = readFileSync(join(folder, 'model.safetensors'));
  bytes.fill(0xff, bytes.length - 4);
  writeFileSync(join(folder, 'model.safetensors'), bytes);
  const { diagnosis, exitCode } = await examine([folder]);
  expect(exitCode).toBe(1);
  expect(diagnosis).toMatchObject({ canRun: true, problems: [{ what: expect.stringContaining('not finite') }] });
});

const golden = loadGoldens('all-MiniLM-L6-v2', { weights: 'f16' }).find(
  ({ text, ids }) => text !== undefined && ids.length < 20,
)!;
const versions = { sentence_transformers: '0.0' };

test('vectors and tokens of the reference that are the same pass', async () => {
  const vector = [...golden.vector];
  const python = answering({ versions, reasons: {}, ids: [golden.ids], mean: [vector], pipeline: [vector] });
  const { diagnosis, exitCode, stderr } = await examine([bundled, '--text', golden.text!, '--python', python]);
  expect(diagnosis.comparison?.checks.map(({ name, result }) => [name, result])).toEqual([
    ['tokens', 'pass'],
    ['mean', 'pass'],
    ['pipeline', 'pass'],
  ]);
  expect([exitCode, stderr]).toEqual([0, 'comparing with sentence-transformers ...\n']);
});

test('another vector fails with its distance, another token with both lists', async () => {
  const vector = [...golden.vector].map((value, at) => (at === 5 ? value + 1e-4 : value));
  const ids = [[101, 102]];
  const python = answering({ versions, reasons: { pipeline: 'no' }, ids, mean: [vector], pipeline: null });
  const { diagnosis, exitCode } = await examine([bundled, '--text', golden.text!, '--python', python]);
  expect(exitCode).toBe(1);
  expect(diagnosis.comparison?.checks).toMatchObject([
    { name: 'tokens', result: 'fail', detail: expect.stringContaining('and [101, 102] there') },
    { name: 'mean', result: 'fail', maxAbs: expect.closeTo(1e-4, 5) },
    { name: 'pipeline', result: 'not compared', detail: 'no' },
  ]);
  expect([diagnosis.canRun, diagnosis.problems.length]).toEqual([true, 2]);
});

test.each([
  ['no such command', () => '/nowhere/python', /cannot be run/],
  [
    'without the library',
    () => answering({ error: 'it has no sentence-transformers' }),
    /has no sentence-transformers/,
  ],
  [
    'that stops',
    () => fakePython("console.error('Traceback'); console.error('boom'); process.exit(3)"),
    /exit code 3: boom/,
  ],
  [
    'that talks nonsense',
    () => answering({ versions, reasons: {}, ids: 'x', mean: null, pipeline: null }),
    /gave no vectors/,
  ],
])('a Python %s is a problem, and the model runs all the same', async (_name, python, what) => {
  const { diagnosis, exitCode } = await examine([tiny, '--python', python()]);
  expect(exitCode).toBe(1);
  expect(diagnosis).toMatchObject({ canRun: true, problems: [{ what: expect.stringMatching(what) }] });
  expect(diagnosis.run).toBeDefined();
});

test('Python is asked for the texts offline, and sees no token and no key', async () => {
  const file = join(tempFolder(), 'seen.json');
  const python = fakePython(`require('node:fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify(process.env))`);
  await examine([tiny, '--python', python], { env: { HF_TOKEN: 'hf_x', EMBEDDINGS_API_KEYS: 'k', HOME: '/home/x' } });
  const seen = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  expect(seen).toMatchObject({ HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1', HOME: '/home/x' });
  expect(Object.keys(seen).filter((name) => /TOKEN|KEYS/.test(name))).toEqual([]);
});

test('a signal ends the comparison and its Python', async () => {
  const python = fakePython('setInterval(() => {}, 1000)');
  const run = startCli(['doctor', tiny, '--no-run', '--python', python]);
  let hasEnded = false;
  void run.exitCode.then(() => (hasEnded = true));
  while (run.listeners.size === 0 && !hasEnded) await new Promise(setImmediate);
  run.signal('SIGINT');
  expect(await run.exitCode).toBe(130);
  expect(run.output.stderr).toMatch(/stopped by SIGINT/);
});

test('a tokenizer of another model is found by its ids', async () => {
  const folder = copyOf(tiny);
  edit(join(folder, 'tokenizer.json'), (text) => text.replace(/"zebra": ?\d+/, '"zebra": 400'));
  const { diagnosis, exitCode } = await examine([folder, '--text', 'zebra']);
  expect([exitCode, diagnosis.canRun]).toEqual([1, false]);
  expect(diagnosis.problems.map(({ what }) => what)).toEqual([
    'the tokenizer gives id 400 for "zebra", the weights have 300 tokens',
  ]);
});

/** The Python of the benchmark has sentence-transformers; in most places there is none. */
const realPython = process.env['BENCH_PYTHON'] ?? '';

test.skipIf(!existsSync(realPython))(
  'the real sentence-transformers gives the same tokens and vectors',
  async () => {
    for (const target of [bundled, tinyCls]) {
      const env = { OMP_NUM_THREADS: '1' };
      const { diagnosis, exitCode } = await examine([target, '--python', realPython], { env });
      expect(diagnosis.comparison?.checks.map(({ name, result }) => [name, result])).toEqual([
        ['tokens', 'pass'],
        ['mean', 'pass'],
        ['pipeline', 'pass'],
      ]);
      expect(exitCode).toBe(0);
    }
  },
  300_000,
); // it loads torch four times

test.each<[string, readonly string[], RegExp]>([
  ['no model', [], /missing required argument/],
  ['a folder that is none', ['/nowhere'], /model folder \(with config\.json or modules\.json\)/],
])('%s is wrong usage', async (_name, argv, message) => {
  const { stdout, stderr, exitCode } = await cli(['doctor', ...argv]);
  expect(stderr).toMatch(message);
  expect([stdout, exitCode]).toEqual(['', 2]);
});
