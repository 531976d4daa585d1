import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cosine, loadGoldens } from '../parity/goldens.ts';
import { bundledModel, startServiceWith } from './service.ts';

const folder = mkdtempSync(join(tmpdir(), 'quantized-'));
afterAll(() => rmSync(folder, { recursive: true }));

const goldens = loadGoldens('all-MiniLM-L6-v2', { weights: 'f16' }).filter(({ text }) => (text?.length ?? 0) > 60);

interface Run {
  readonly vectors: readonly Float32Array[];
  /** x-embeddings-model */
  readonly source: string | null;
  readonly log: readonly string[];
}

/** Starts the service, asks for every golden once, and stops it. */
async function embedOnce(variables: Readonly<Record<string, string>>): Promise<Run> {
  const service = await startServiceWith(variables, '--replicas=1', '--threads=1');
  try {
    const response = await fetch(`${service.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: bundledModel, input: goldens.map(({ ids }) => ids) }),
    });
    const { data } = (await response.json()) as { data: readonly { embedding: readonly number[] }[] };
    const vectors = data.map(({ embedding }) => Float32Array.from(embedding));
    return { vectors, source: response.headers.get('x-embeddings-model'), log: [...service.log] };
  } finally {
    service.kill('SIGTERM');
    await service.ended;
  }
}

function filesBelow(path: string): readonly string[] {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => statSync(join(path, name)).isFile())
    .map((name) => `${name} ${statSync(join(path, name)).mtimeMs}`);
}

describe.each([
  { bits: '8bit', dtype: 'int8', each: 0.995 },
  { bits: '4bit', dtype: 'int4', each: 0.93 },
])('EMBEDDINGS_BITSANDBYTES=$bits', ({ bits, dtype, each }) => {
  const cache = join(folder, bits);
  const variables = { EMBEDDINGS_BITSANDBYTES: bits, HF_HUB_CACHE: cache, TMPDIR: folder };

  test('answers are right and say their precision; the weights are made once and kept in the cache', async () => {
    const first = await embedOnce(variables);
    for (const [row, { vector, text }] of goldens.entries())
      expect(cosine(first.vectors[row]!, vector), text).toBeGreaterThan(each);
    expect(first.source).toContain(`; dtype=${dtype};`);
    expect(first.log.join('\n')).toContain(`quantising ${bundledModel}: `);
    const made = filesBelow(cache);
    expect(made).toEqual([
      expect.stringMatching(
        new RegExp(`^models--sentence-transformers--all-MiniLM-L6-v2/quantized/${dtype}-[0-9a-f]{16}\\.safetensors `),
      ),
    ]);
    const second = await embedOnce(variables);
    expect(second.vectors).toEqual(first.vectors);
    expect(second.log.join('\n')).not.toContain('quantising');
    expect(filesBelow(cache)).toEqual(made);
  });

  test('a cache that cannot be written to is no reason to fail', async () => {
    const blocked = join(folder, `${bits}-blocked`);
    writeFileSync(blocked, ''); // root may write everywhere, but not below a file
    const run = await embedOnce({ ...variables, HF_HUB_CACHE: join(blocked, 'hub') });
    for (const [row, { vector }] of goldens.entries()) expect(cosine(run.vectors[row]!, vector)).toBeGreaterThan(each);
    const [own] = readdirSync(folder).filter((name) => name.startsWith('embeddings-'));
    expect(readdirSync(join(folder, own!)).some((name) => name.startsWith(dtype))).toBe(true);
  });
});
