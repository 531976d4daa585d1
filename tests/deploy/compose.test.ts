import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, settings } from '../../src/config.ts';

const root = join(import.meta.dirname, '../..');
const compose = readFileSync(join(root, 'docker-compose.yaml'), 'utf8');

/** What the image decides: the address and the paths inside the container. */
const fixedInside = [
  'EMBEDDINGS_HOST',
  'EMBEDDINGS_PORT',
  'EMBEDDINGS_SOCKET',
  'EMBEDDINGS_SUPPORTED_MODELS',
  'EMBEDDINGS_MODELS_DIR',
  'HF_HUB_CACHE',
  'HF_TOKEN_PATH',
  'EMBEDDINGS_LOCK_FILE',
];

test('docker-compose.yaml passes every setting on, and no name that is none', () => {
  const passed = [...compose.matchAll(/^ {6}(\w+): \$\{(\w+):-\}$/gm)];
  for (const [line, inside, outside] of passed) expect(outside, line).toBe(inside);
  const known = Object.values(settings)
    .map((setting) => setting.env)
    .filter((name) => !fixedInside.includes(name));
  expect(new Set(passed.map(([, name]) => name))).toEqual(new Set(known));
  expect(passed).toHaveLength(known.length);
});

test('the names that the image decides are settings too', () => {
  const known: readonly string[] = Object.values(settings).map((setting) => setting.env);
  expect(fixedInside.filter((name) => !known.includes(name))).toEqual([]);
});

test('both images copy what the build context lets through, and listen on the port that compose publishes', () => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8');
  const allowed = [...ignored.matchAll(/^!(\S+)$/gm)].map(([, path]) => path);
  for (const name of ['Dockerfile.cpu', 'Dockerfile.gpu']) {
    const file = readFileSync(join(root, name), 'utf8');
    expect(file).toMatch(/^EXPOSE 11445$/m);
    const sources = [...file.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
    expect(sources).toContain('package.json');
    for (const source of sources) if (source !== '.') expect(allowed, `${name} copies ${source}`).toContain(source);
  }
  expect(compose).toContain('"${EMBEDDINGS_PORT:-11445}:11445"');
});

test('inside the container the service listens on every interface, also where .env has an empty EMBEDDINGS_HOST', () => {
  expect(compose).toMatch(/^ {6}EMBEDDINGS_HOST: "0\.0\.0\.0"$/m);
  for (const name of ['Dockerfile.cpu', 'Dockerfile.gpu'])
    expect(readFileSync(join(root, name), 'utf8')).toMatch(/EMBEDDINGS_HOST=0\.0\.0\.0/);
});

test('env.example as it is starts the service, and its PYTORCH_TAG builds', () => {
  const example = Object.fromEntries(
    [...readFileSync(join(root, 'env.example'), 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  const { config, unknown } = loadConfig({ env: example });
  expect([config.port, config.maxLoadedModels, unknown]).toEqual([11445, 4, []]);
  const version = /-cuda([\d.]+)-/.exec(example['PYTORCH_TAG'] ?? '')?.[1];
  expect(readFileSync(join(root, 'Dockerfile.gpu'), 'utf8')).toContain(` AS cuda-${version}\n`);
});
