import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readSeeds, writeFolder, writeSnapshot, type FolderFiles } from './folder-files.ts';
import { anyPlan, applyPlan, type Plan } from './mutate-folder.ts';
import { TrialProcess } from './trial-process.ts';
import { canary } from './canary.ts';
import type { Verdict } from './try-model.ts';

const usage = `Loads model folders with a few things wrong, as the server loads them, and reports what must not happen:
a process that ends, 10 s, 300 MB, an error that blames nobody, a file read outside the folder.

  --count N      folders (1000)
  --seed N       the same number gives the same folders (1)
  --runs SHARE   share of the folders for which a runner is started, too (0.02)
  --only ID      one folder of the run; it is kept in .bench/fuzz-findings
`;

const root = fileURLToPath(new URL('../../../../', import.meta.url)); // from .bench/fuzz/tests/fuzz
const findings = join(root, '.bench/fuzz-findings');
const processes = 2;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '0.02' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(usage);
else process.exitCode = await main();

async function main(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'embeddings-fuzz-'));
  const outside = join(scratch, 'outside');
  writeOutside(outside);
  const materials = { seeds: listSeeds(), outside };
  const plans = fc.sample(anyPlan, { numRuns: Number(values.count), seed: Number(values.seed) });
  const everyNth = Math.round(1 / Math.max(Number(values.runs), 1e-9));
  const started = performance.now();
  const outcomes = new Map<string, number>();
  const bad: Verdict[] = [];
  let next = 0;

  const work = async (): Promise<void> => {
    const trials = new TrialProcess();
    for (let id = next++; id < plans.length; id = next++) {
      if (values.only !== undefined && Number(values.only) !== id) continue;
      const plan = plans[id]!; // below the length
      const home = join(scratch, String(id));
      const folder = write(home, plan, applyPlan(plan, materials));
      const verdict = await trials.run({ id, folder, outside, pooling: plan.pooling, runs: id % everyNth === 0 });
      outcomes.set(verdict.outcome, (outcomes.get(verdict.outcome) ?? 0) + 1);
      if (verdict.problems.length > 0 || values.only !== undefined) report(verdict, plan, materials);
      if (verdict.problems.length > 0) bad.push(verdict);
      rmSync(home, { recursive: true });
    }
    trials.stop();
  };
  try {
    await Promise.all(Array.from({ length: processes }, work));
  } finally {
    rmSync(scratch, { recursive: true });
  }
  const seconds = (performance.now() - started) / 1000;
  const counts = [...outcomes].toSorted(([, a], [, b]) => b - a).map(([outcome, count]) => `  ${count} ${outcome}\n`);
  process.stdout.write(
    `${plans.length} model folders of seed ${values.seed} in ${seconds.toFixed(0)} s\n${counts.join('')}${bad.length} findings\n`,
  );
  return bad.length === 0 ? 0 : 1;
}

function write(home: string, { isSnapshot }: Plan, files: FolderFiles): string {
  if (isSnapshot) return writeSnapshot(home, files);
  const folder = join(home, 'fuzz', 'model');
  mkdirSync(folder, { recursive: true });
  writeFolder(folder, files);
  return folder;
}

function report(
  { id, outcome, message, problems }: Verdict,
  plan: Plan,
  materials: Parameters<typeof applyPlan>[1],
): void {
  process.stdout.write(`folder ${id}: ${problems.join('; ')}\n  ${outcome}: ${message.slice(0, 300)}\n`);
  const kept = join(findings, `${values.seed}-${id}`);
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  writeFolder(kept, applyPlan(plan, materials));
  writeFileSync(join(findings, `${values.seed}-${id}.json`), JSON.stringify(plan, null, 2));
}

/** Tiny models of every architecture, pipeline and format of weights; BERT with the files of every kind of tokenizer. */
function listSeeds(): readonly FolderFiles[] {
  const goldens = join(root, 'tests/goldens');
  const models = readSeeds(['tiny', 'pipeline', 'weights'].map((name) => join(goldens, 'models', name)));
  const bert = readSeeds([join(goldens, 'models/tiny')]).find(
    (files) => files.has('vocab.txt') || files.has('tokenizer.json'),
  )!;
  const { tokenizers, contents } = JSON.parse(
    gunzipSync(readFileSync(join(goldens, 'tokenizers.json.gz'))).toString(),
  ) as TokenizerGoldens;
  const withoutTokenizer = [...bert].filter(([name]) => !/tokenizer|vocab|special_tokens/.test(name));
  return [
    ...models.filter((files) => files.size > 0),
    ...tokenizers.map(({ files }): FolderFiles => {
      const own = Object.entries(files).map(([name, key]) => {
        const content = contents[key]!; // the file names what it has
        return [
          name,
          Buffer.from(content.text ?? content.base64 ?? '', content.text === undefined ? 'base64' : 'utf8'),
        ] as const;
      });
      return new Map([...withoutTokenizer, ...own]);
    }),
  ];
}

interface TokenizerGoldens {
  readonly contents: Readonly<Record<string, { readonly text?: string; readonly base64?: string }>>;
  readonly tokenizers: readonly { readonly files: Readonly<Record<string, string>> }[];
}

/** Files that belong to somebody else, in forms that readers of models could take, and a pipe that nobody writes to. */
function writeOutside(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, 'canary.txt'), `${canary}\n[UNK] ${canary}\n`);
  writeFileSync(join(folder, 'canary.json'), JSON.stringify({ [canary]: canary, model_type: canary, type: canary }));
  const header = Buffer.from(JSON.stringify({ [canary]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(folder, 'canary.safetensors'), Buffer.concat([length, header, Buffer.alloc(4)]));
  writeFileSync(join(folder, 'canary.bin'), canary);
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  mkdirSync(dirname(findings), { recursive: true });
}
