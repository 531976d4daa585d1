import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runSoak } from '../../bench/soak/run-soak.ts';
import { startTarget } from '../../bench/soak/start-target.ts';
import { importBuilt } from '../built.ts';
import { bundledModel } from '../e2e/service.ts';
import { tempFolder } from '../graph/temp-folder.ts';

const root = join(import.meta.dirname, '../..');
const seconds = 60;

/** The short form of `npm run soak`: the slope of memory says nothing in so short a time. */
test('a minute of load while something goes wrong every five seconds: no wrong vector, no request without an answer', async () => {
  await importBuilt('config.ts'); // throws where dist is stale
  const lines = readFileSync(join(root, 'bench/texts.jsonl'), 'utf8').trim().split('\n').slice(0, 120);
  const target = await startTarget({
    root,
    scratch: tempFolder(),
    model: bundledModel,
    runners: 2,
    variables: { EMBEDDINGS_RESULT_CACHE: '100kB' }, // some vectors, not all
  });
  const report = await runSoak({
    target,
    texts: lines.map((line) => (JSON.parse(line) as { text: string }).text),
    seconds,
    faultEverySeconds: 5,
    seed: 7,
    runners: 2,
    settlingSeconds: Infinity,
    say: () => {},
  });
  const exitCode = await target.stop();
  expect(report.tally, target.faultLines.join('\n')).toMatchObject({ wrongVectors: 0, hung: 0, firstProblems: [] });
  expect(Object.keys(report.faults).length).toBeGreaterThan(8);
  expect([report.passed, exitCode]).toEqual([true, 0]);
}, 240_000);
