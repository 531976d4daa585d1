// Runs one file of examples/ against a running service and looks at what it prints.
//   node run-example.mjs FILE URL [PYTHON]
// Every file needs a row below: an example that nobody runs is wrong sooner or later.
import { spawnSync } from 'node:child_process';
import { basename } from 'node:path';

/** What must be in the output, and what is read from standard input. */
const expectations = {
  'curl.sh': {
    output: [
      /"id":"sentence-transformers\/all-MiniLM-L6-v2"/,
      /"embedding":\[-?0\.\d/,
      /"embedding":"[\w+/]+=*"/,
      /"param":"input\[1\]"/,
    ],
  },
  'deduplicate.mjs': {
    input: 'The train was late again.\nOnce more the train did not come on time.\n\nWe had soup for lunch.\n',
    output: [/^0\.\d{3} {2}The train was late again\. {2}= {2}Once more/m, /^1 pairs among 3 texts$/m],
  },
  'langchain_search.py': { output: [/^Can I bring my bike\?\n0\.\d{3} {2}Bicycles may be taken/] },
  'library.mjs': {
    output: [/^2 vectors of 384 numbers, \d+ tokens$/m, /^(-?0\.\d{4} ){4}\.\.\. {2}A cat sat on the mat\.$/m],
  },
  'search.mjs': { output: [/^How do I get my money back\? \(\d+ tokens\)\n0\.\d{3} {2}Refunds are paid/] },
  'token-ids.mjs': { output: [/^same as the text: true\nsame in a batch: {2}true\nother ids differ: true$/m] },
};

const [file, url, python = 'python3'] = process.argv.slice(2);
const expected = expectations[basename(file)];
if (expected === undefined) fail(`${file} has no row in tests/examples/run-example.mjs`);

const interpreters = { sh: 'bash', mjs: process.execPath, py: python };
const { OPENAI_API_KEY: _key, MODEL: _model, ...env } = process.env;
const { status, signal, error, stdout, stderr } = spawnSync(interpreters[file.split('.').at(-1)], [file], {
  input: expected.input ?? '',
  encoding: 'utf8',
  env: { ...env, OPENAI_BASE_URL: `${url}/v1` },
  timeout: 60_000,
});
if (error || status !== 0) fail(`${error?.message ?? `ended with ${signal ?? status}`}\n${stdout}${stderr}`);
for (const pattern of expected.output) {
  if (!pattern.test(stdout)) fail(`expected ${pattern} in its output:\n${stdout}${stderr}`);
}
if (stderr !== '') console.log(`  it also said: ${stderr.slice(0, 500)}`);

function fail(problem) {
  console.log(`  WRONG: ${problem}`);
  process.exit(1);
}
