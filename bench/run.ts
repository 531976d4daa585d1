import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createContext } from './context.ts';
import type { Context } from './context.ts';
import { describeMachine, isBusy } from './machine.ts';
import { measureBatchSize } from './parts/batch-size.ts';
import { measureColdStart } from './parts/cold-start.ts';
import { measureConcurrency } from './parts/concurrency.ts';
import { measureConcurrent } from './parts/concurrent.ts';
import { measureCores } from './parts/cores.ts';
import { measureEngine, measureInt8 } from './parts/engine.ts';
import { measureHttp } from './parts/http.ts';
import { measureIdleCpu } from './parts/idle.ts';
import { measureLarge } from './parts/large.ts';
import { measureLatency } from './parts/latency.ts';
import { measureLength } from './parts/length.ts';
import { measureLongLengths } from './parts/long-lengths.ts';
import { measureLong } from './parts/long.ts';
import { measureManyModels } from './parts/many-models.ts';
import { measureMemory } from './parts/memory.ts';
import { measureMixed } from './parts/mixed.ts';
import { measureOpenLoop } from './parts/open-loop.ts';
import { measureOverload } from './parts/overload.ts';
import { measurePeers } from './parts/peers.ts';
import { measureQuality } from './parts/quality.ts';
import { measureRoofline } from './parts/roofline.ts';
import { createPeers, selectPeers } from './peers/all-peers.ts';
import { parseEndpoint } from './peers/endpoint.ts';
import type { Peer } from './peers/peer.ts';
import { createReport } from './report.ts';

type Part = (context: Context, peers: readonly Peer[]) => Promise<void>;

const parts: Readonly<Record<string, Part>> = {
  roofline: measureRoofline,
  engine: measureEngine,
  int8: measureInt8,
  quality: measureQuality,
  http: measureHttp,
  latency: measureLatency,
  mixed: measureMixed,
  concurrent: measureConcurrent,
  cold: measureColdStart,
  memory: measureMemory,
  models: measureManyModels,
  long: measureLong,
  large: measureLarge,
  cores: measureCores,
  idle: measureIdleCpu,
  batch: measureBatchSize,
  concurrency: measureConcurrency,
  open: measureOpenLoop,
  overload: measureOverload,
  length: measureLength,
  'long-lengths': measureLongLengths,
  peers: measurePeers,
};

const onDemand = ['peers', 'large']; // installs other servers; takes 25 GB of disk: only where they are asked for
const byDefault = Object.keys(parts).filter((name) => !onDemand.includes(name));

const help = `bench/run.sh [--only PART,PART] [--peers NAME,NAME] [--peer NAME=URL#MODEL] [--rounds N] [--quick] [--dist DIR] [--model ID]

Parts: ${Object.keys(parts).join(', ')}. Without --only, all of them but ${onDemand.join(', ')}.
--peers   whom the parts with contestants measure: names or their beginnings, or all; without it ours
--peer    an OpenAI-compatible server that already runs, too; may be given several times, #MODEL may be left out
--rounds  turns of each server in the part peers, instead of 5
--quick   fewer texts and rounds, to see that it works; not for numbers to publish
--dist    another build to measure, for a comparison of two commits
BENCH_PYTHON=/path/to/python takes an interpreter that already has bench/requirements.txt.
`;

const root = resolve(fileURLToPath(import.meta.url), '../../..'); // this runs from .bench/build/
process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: byDefault.join(',') },
      peers: { type: 'string', default: 'ours' },
      peer: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      dist: { type: 'string', default: `${root}/dist` },
      model: { type: 'string', default: 'sentence-transformers/all-MiniLM-L6-v2' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(help);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    return print(`Expected a whole number of rounds, 1 or more; got ${values.rounds}.\n`, 2);
  const names = values.only.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !Object.hasOwn(parts, name));
  if (unknown.length > 0)
    return print(`Expected parts of ${Object.keys(parts).join(', ')}; got ${unknown.join(', ')}.\n`, 2);

  const file = `${root}/.bench/results-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.jsonl`;
  const report = createReport(file);
  report.note({ machine: describeMachine(root), quick: values.quick });
  if (isBusy()) print('Warning: this machine is busy; numbers taken now are not worth keeping.\n');
  const { model, quick } = values;
  const context = createContext({ root, dist: resolve(values.dist), model, quick, rounds, report });
  const peers = [
    ...selectPeers(createPeers(context), values.peers),
    ...values.peer.map((argument) => parseEndpoint(argument, values.model)),
  ];
  let failures = 0;
  for (const name of names) {
    print(`${name}\n`);
    try {
      await parts[name]?.(context, peers);
    } catch (error) {
      failures++;
      report.note({ part: name, failed: String(error) });
      print(`  failed: ${String(error)}\n`);
    }
  }
  return print(`\n${report.tables()}\nEvery number: ${file}\n`, failures > 0 ? 1 : 0);
}

function print(text: string, exitCode = 0): number {
  process.stdout.write(text);
  return exitCode;
}
