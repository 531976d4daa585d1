// Hours of load on the built server while things go wrong: npm run soak -- --minutes 60. docs/faults.md says what it checks.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { runSoak } from './soak/run-soak.ts';
import { startTarget } from './soak/start-target.ts';

const help = `Loads the built server while faults strike, and prints what came of it as JSON.

  --minutes N         how long (60)
  --fault-seconds N   a fault each N seconds (10)
  --runners N         runner processes (2)
  --result-cache SIZE EMBEDDINGS_RESULT_CACHE (none)
  --max-slope N       MB an hour by which memory may grow after ten minutes (10)
  --seed N            of everything random (1)
  --json FILE         where the report goes too

Exit codes: 0 when no vector was wrong, no request hung and nothing else was amiss; else 1.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    'fault-seconds': { type: 'string', default: '10' },
    runners: { type: 'string', default: '2' },
    'result-cache': { type: 'string', default: '' },
    'max-slope': { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}

const root = resolve(fileURLToPath(new URL('../..', import.meta.url))); // of .bench/build
const runners = toNumber('runners');
const texts = readFileSync(join(root, 'bench/texts.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { text: string }).text);
const target = await startTarget({
  root,
  scratch: join(root, '.bench/soak'),
  model: 'sentence-transformers/all-MiniLM-L6-v2',
  runners,
  variables: { EMBEDDINGS_RESULT_CACHE: values['result-cache'] },
});
const report = await runSoak({
  target,
  texts: texts.slice(0, 400),
  seconds: toNumber('minutes') * 60,
  faultEverySeconds: toNumber('fault-seconds'),
  seed: toNumber('seed'),
  runners,
  settlingSeconds: 600,
  maxSlopeMbPerHour: toNumber('max-slope'),
  say: (line) => void process.stderr.write(`${new Date().toISOString()} ${line}\n`),
});
const exitCode = await target.stop();
const passed = report.passed && exitCode === 0;
const whole = { ...report, passed, exitCode, machine: describeMachine(root), faultLines: target.faultLines.slice(-20) };
const text = `${JSON.stringify(whole, null, 2)}\n`;
process.stdout.write(text);
if (values.json !== '') writeFileSync(values.json, text);
process.exit(passed ? 0 : 1);

function toNumber(name: 'minutes' | 'fault-seconds' | 'runners' | 'max-slope' | 'seed'): number {
  const value = Number(values[name]);
  if (!(value >= 0)) throw new Error(`Expected a number for --${name}, got "${values[name]}".`);
  return value;
}
