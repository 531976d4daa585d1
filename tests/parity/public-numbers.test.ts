import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { bundledModelsDir, loadConfig } from '../../src/config.ts';
import { Session } from '../../src/engine/session.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { declarePackedInputs } from '../../src/graph/packed-inputs.ts';
import { serialize } from '../../src/graph/serialize.ts';
import { readJsonFile } from '../../src/models/read-json-file.ts';
import { findArchitecture } from '../../src/models/registry.ts';
import { locateModel } from '../../src/store/locate-model.ts';
import { readTensorIndex } from '../../src/store/safetensors.ts';
import { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { toBatch } from '../graph/run-graph.ts';
import { type PublicNumbers, publicNumbers } from './public-numbers.ts';

/* Real weights, where this machine has them: in EMBEDDINGS_MODELS_DIR or the Hugging Face cache of the environment. */
const { config } = loadConfig({ env: process.env, envFile: '' });

const timeoutMs = 600_000; // the largest has 7 billion parameters

for (const numbers of publicNumbers) {
  const { source, repositories, task, input, rows } = numbers;
  const what = [repositories[0], ...(task === undefined ? [] : [task]), rows.pooling].join(', ');
  const kind = typeof input === 'string' ? `"${input}"` : `${input.length} ids`;
  test(`${what}: ${kind} is what ${source} publishes`, { timeout: timeoutMs }, async (context) => {
    const folder = locate(repositories);
    if (folder === undefined) return context.skip(`${repositories.join(' or ')} is not on this machine`);
    const got = await run(folder, numbers);
    expectClose(got, numbers);
  });
}

test('the bundled model is among those with published numbers, so that some always run', () => {
  expect(publicNumbers.filter(({ repositories }) => locate(repositories) !== undefined)).not.toEqual([]);
});

function locate(repositories: readonly string[]): string | undefined {
  for (const repository of repositories) {
    const found = locateModel(repository, { ...config, bundledDir: bundledModelsDir });
    if (found !== undefined) return found.folder;
  }
  return undefined;
}

/** The last hidden state, one row a token. */
async function run(folder: string, { input, task }: PublicNumbers): Promise<readonly Float32Array[]> {
  const ids = typeof input === 'string' ? await tokenize(folder, input) : input;
  const json = readJsonFile(join(folder, 'config.json'));
  const found = await findArchitecture(json, readTensorIndex(folder));
  if (found === undefined) throw new Error(`No architecture computes ${folder}.`);
  const { architecture, tensors } = found;
  const parsed = architecture.parseConfig(json);
  const g = new GraphBuilder(tensors);
  const value = architecture.build(g, parsed, declarePackedInputs(g), task);
  const session = await Session.load({
    model: serialize(g.finish('hidden', [{ name: 'hidden', value }])),
    weightsFolder: dirname([...tensors.values()][0]!.file),
    threads: 2,
    provider: 'cpu',
    positions: architecture.describe(parsed).positions,
  });
  try {
    const { hidden } = await session.dump(toBatch([ids]));
    const [count = 0, size = 0] = hidden!.dims;
    const data = hidden!.data as Float32Array; // the output is float32
    return Array.from({ length: count }, (_, row) => data.slice(row * size, (row + 1) * size));
  } finally {
    await session.close();
  }
}

async function tokenize(folder: string, text: string): Promise<readonly number[]> {
  const tokenizer = await Tokenizer.load(folder);
  for await (const ids of tokenizer.encode([text])) return [...ids];
  throw new Error('The tokenizer gave nothing.');
}

function expectClose(hidden: readonly Float32Array[], { rows, tolerance }: PublicNumbers): void {
  const expected = rows.pooling === 'none' ? rows.values : [rows.values];
  const got =
    rows.pooling === 'none'
      ? hidden.slice(rows.firstToken).map((row) => row.slice(rows.firstColumn))
      : [pooled(hidden, rows.pooling)];
  for (const [row, values] of expected.entries()) {
    for (const [column, value] of values.entries()) {
      const difference = Math.abs(got[row]![column]! - value);
      const limit = tolerance.absolute + tolerance.relative * Math.abs(value);
      expect(difference, `row ${row}, column ${column}`).toBeLessThanOrEqual(limit);
    }
  }
}

function pooled(hidden: readonly Float32Array[], pooling: 'mean' | 'cls' | 'lasttoken'): Float32Array {
  if (pooling === 'cls') return hidden[0]!;
  if (pooling === 'lasttoken') return hidden.at(-1)!;
  return hidden[0]!.map((_, column) => hidden.reduce((sum, row) => sum + row[column]!, 0) / hidden.length);
}
