import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findViolations } from './architecture.ts';

const sourceRoot = join(import.meta.dirname, '../src');

/** The real sources; `graph/proto` is generated. */
function readSources(): Map<string, string> {
  const paths = readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' });
  const ours = paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts') && !path.endsWith('.test.ts'));
  return new Map(ours.map((path) => [path, readFileSync(join(sourceRoot, path), 'utf8')]));
}

function violationsOf(files: Record<string, string>): readonly string[] {
  return findViolations(new Map(Object.entries(files)));
}

test('the sources follow the arrows of the design', () => {
  const sources = readSources();
  expect(sources.size).toBeGreaterThan(5);
  expect(findViolations(sources)).toEqual([]);
});

test.each([
  ['a static import', `import { x } from '../engine/session.ts';`],
  ['a type import', `import type { X } from '../engine/session.ts';`],
  ['a re-export', `export { x } from '../engine/session.ts';`],
  ['a bare import', `import '../engine/session.ts';`],
  ['a dynamic import', `const m = await import('../engine/session.ts');`],
  ['an import type', `type X = import('../engine/session.ts').X;`],
  ['a file URL', `const url = new URL('../engine/session.ts', import.meta.url);`],
  ['an import over several lines', `import {\n  a,\n  b,\n} from '../engine/session.ts';`],
])('%s against the arrows is found', (_name, code) => {
  expect(violationsOf({ 'request/parse.ts': code, 'engine/session.ts': '' })).toEqual([
    'request/parse.ts imports engine/session.ts: request may import types:tracing, errors.ts, util',
  ]);
});

test('an import along the arrows is allowed', () => {
  const files = { 'http/embeddings.ts': `import { parse } from '../request/parse.ts';`, 'request/parse.ts': '' };
  expect(violationsOf(files)).toEqual([]);
});

test('a file URL into a package is no import of ours', () => {
  const code = `const url = new URL('../../node_modules/redoc/redoc.js', import.meta.url);`;
  expect(violationsOf({ 'http/docs.ts': code })).toEqual([]);
});

test('an import inside a comment is no import', () => {
  const code = `// import { x } from '../engine/session.ts';\n/* import '../engine/session.ts'; */\nexport const url = 'http://x/'; // import('../engine/session.ts')`;
  expect(violationsOf({ 'request/parse.ts': code })).toEqual([]);
});

test('a value taken over an arrow that carries types only is found', () => {
  const found = violationsOf({
    'scheduler/loop.ts': `import { createEngine } from '../engine/engine.ts';`,
    'engine/engine.ts': '',
  });
  expect(found).toEqual(['scheduler/loop.ts imports a value from engine/engine.ts: that arrow carries types only']);
  expect(violationsOf({ 'scheduler/loop.ts': `import { type Engine } from '../engine/engine.ts';` })).toHaveLength(1);
  expect(violationsOf({ 'scheduler/loop.ts': `import type { Engine } from '../engine/engine.ts';` })).toEqual([]);
});

test('an arrow to one file does not open its folder', () => {
  const found = violationsOf({ 'scheduler/loop.ts': `import type { Runner } from '../engine/runner.ts';` });
  expect(found).toHaveLength(1);
});

test('a cycle is found, and named once', () => {
  const found = violationsOf({
    'graph/a.ts': `import { b } from './b.ts';`,
    'graph/b.ts': `import { c } from './c.ts';`,
    'graph/c.ts': `import { a } from './a.ts';`,
  });
  expect(found).toEqual(['cycle: graph/a.ts -> graph/b.ts -> graph/c.ts -> graph/a.ts']);
});

test('a folder without a row in the table is found', () => {
  expect(violationsOf({ 'misc/x.ts': '' })).toEqual(['misc/x.ts: no row for misc in the table of arrows']);
});

test.each([
  ['onnxruntime-node outside the session', 'engine/load.ts', `import * as ort from 'onnxruntime-node';`],
  ['tokenizers outside its folder', 'engine/load.ts', `import { Tokenizer } from 'tokenizers';`],
  ['the environment outside the command line', 'http/server.ts', `const token = process.env['HF_TOKEN'];`],
  ['a destructured environment', 'http/server.ts', `const { env } = process;`],
  ['an imported environment', 'http/server.ts', `import { env } from 'node:process';`],
  ['argv outside the command line', 'config.ts', `const flags = process.argv.slice(2);`],
  ['an exit outside the command line', 'app.ts', `process.exit(1);`],
  ['a model type in shared code', 'engine/load.ts', `if (config.model_type === 'bert') run();`],
  ['a model type on the right', 'engine/load.ts', `if ('bert' === config.modelType) run();`],
  ['a switch over model types', 'engine/load.ts', `switch (config['model_type']) {}`],
])('%s is found', (_name, path, code) => {
  expect(violationsOf({ [path]: code })).toHaveLength(1);
});

test('each of these is allowed in its own place', () => {
  expect(
    violationsOf({
      'engine/session.ts': `import * as ort from 'onnxruntime-node';`,
      'tokenizer/native.ts': `import { Tokenizer } from 'tokenizers';`,
      'cli.ts': `process.exit(await main(process.argv, process.env));`,
      'cli/serve.ts': `process.exit(1);`,
      'engine/runner-main.ts': `process.exit(1);`,
      'models/registry.ts': `if (config.model_type === 'bert') run();`,
    }),
  ).toEqual([]);
});

test('the native tokenizer is imported from one file only', () => {
  const code = `import { Tokenizer } from 'tokenizers';`;
  const found = violationsOf({ 'tokenizer/a.ts': code, 'tokenizer/b.ts': code });
  expect(found).toEqual(['tokenizers is imported from 2 files: tokenizer/a.ts, tokenizer/b.ts']);
});
