import fs, { realpathSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type * as configModule from '../../src/config.ts';
import type * as errorsModule from '../../src/errors.ts';
import type * as metricsModule from '../../src/metrics/metrics.ts';
import type * as channelModule from '../../src/engine/runner-channel.ts';
import type * as planModule from '../../src/serving/plan-model.ts';
import type * as prepareModule from '../../src/serving/prepare-model.ts';
import type * as missingModule from '../../src/store/missing-files.ts';
import type * as encodeModule from '../../src/tokenizer/encode-items.ts';
import type * as tokenizerModule from '../../src/tokenizer/tokenizer.ts';
import pino from 'pino';
import { canary } from './canary.ts';
import { hostileTexts } from './hostile-values.ts';

/** A folder to be loaded as the server loads it. */
export interface Trial {
  readonly id: number;
  readonly folder: string;
  readonly outside: string;
  readonly pooling: 'mean' | 'model';
  /** Whether a runner is started, too. */
  readonly runs: boolean;
}

export interface Verdict {
  readonly id: number;
  /** What the folder came to: an error code, `incomplete`, `loaded` or `ran`. */
  readonly outcome: string;
  readonly message: string;
  /** What must not be. */
  readonly problems: readonly string[];
  readonly peakBytes: number;
}

const dist = new URL('../../../../dist/', import.meta.url); // from .bench/fuzz/tests/fuzz
const built = async <Module>(path: string): Promise<Module> =>
  (await import(new URL(path.replace(/\.ts$/, '.js'), dist).href)) as Module;

let opened: string[] = [];
watchOpens();

const { loadConfig } = await built<typeof configModule>('config.ts');
const { ServiceError } = await built<typeof errorsModule>('errors.ts');
const { createMetrics } = await built<typeof metricsModule>('metrics/metrics.ts');
const { forkRunner } = await built<typeof channelModule>('engine/runner-channel.ts');
const { planModel } = await built<typeof planModule>('serving/plan-model.ts');
const { prepareModel } = await built<typeof prepareModule>('serving/prepare-model.ts');
const { findMissingFiles } = await built<typeof missingModule>('store/missing-files.ts');
const { encodeItems } = await built<typeof encodeModule>('tokenizer/encode-items.ts');
const { Tokenizer } = await built<typeof tokenizerModule>('tokenizer/tokenizer.ts');

const { config } = loadConfig({ env: {}, flags: { threads: '1', replicas: '1' }, envFile: '/nonexistent' });
const logger = pino({ level: 'silent' });
const provider = 'cpu';

process.on('message', (trial: Trial) => {
  void tryModel(trial).then((verdict) => process.send?.(verdict));
});

async function tryModel({ id, folder, outside, pooling, runs }: Trial): Promise<Verdict> {
  opened = [];
  const problems: string[] = [];
  let [outcome, message] = ['loaded', ''];
  try {
    const missing = findMissingFiles(folder);
    if (missing !== undefined) [outcome, message] = ['incomplete', missing];
    else outcome = await load({ folder, pooling, runs });
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
    outcome = error instanceof ServiceError ? error.code : 'internal_error';
    const isExpected = ['model_broken', 'architecture_not_supported', 'model_too_large', 'non_finite_output'];
    if (outcome === 'internal_error') problems.push(`not an error of the service: ${stackOf(error)}`);
    else if (!isExpected.includes(outcome)) problems.push(`an error that does not blame the model: ${outcome}`);
    const fault = findFault(error);
    if (fault !== undefined) problems.push(`a fault of the program: ${stackOf(fault)}`);
  }
  if (message.includes(canary)) problems.push('the error says what a file outside the folder holds');
  if (message.length > 4000) problems.push(`an error of ${message.length} characters`);
  const strangers = opened.filter((path) => path.startsWith(outside));
  if (strangers.length > 0) problems.push(`opened ${[...new Set(strangers)].join(', ')}`);
  if (({} as Record<string, unknown>)['polluted'] !== undefined) problems.push('the prototype of every object changed');
  return { id, outcome, message, problems, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

async function load({ folder, pooling, runs }: Pick<Trial, 'folder' | 'pooling' | 'runs'>): Promise<string> {
  const entry = { line: 1, name: 'fuzz/model', repository: 'fuzz/model', pooling };
  const options = { entry, located: { kind: 'local' as const, folder }, config, provider, logger } as const;
  const items = hostileTexts.map((text) => ({ kind: 'text' as const, text }));
  if (!runs) {
    const plan = await planModel(options);
    const tokenizer = await Tokenizer.load(plan.model.root, plan.textRules, entry.name).catch((error: unknown) => {
      throw new ServiceError('model_broken', { model: entry.name, reason: String(error) }, { cause: error });
    });
    try {
      for await (const ids of tokenizer.encode(hostileTexts)) if (ids.length > 1e6) throw new Error('endless tokens');
    } finally {
      tokenizer.close();
    }
    return 'loaded';
  }
  const openChannel = forkRunner;
  const prepared = await prepareModel({
    ...options,
    openChannel,
    metrics: createMetrics(),
    resultCache: undefined,
    tracer: undefined,
    requestId: undefined,
    onQuantising: () => {},
  });
  const served = await prepared.start(new AbortController().signal);
  try {
    const usual = items.filter(({ text }) => text !== '').slice(-2);
    const limits = { ...served.limits, maxRequestTokens: 300_000, truncate: true };
    const encoded = await encodeItems(served.tokenizer, usual, limits).catch((error: unknown) => {
      // A tokenizer may know more tokens than the model has, and make none of a text: the caller is told of the item.
      if (error instanceof ServiceError && error.status === 400) return [];
      throw error;
    });
    if (encoded.length > 0) await served.embed(encoded);
    return 'ran';
  } finally {
    await served.close();
  }
}

/** An error of JavaScript itself says nothing about the file. */
function findFault(error: unknown): Error | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // Of JSON, of UTF-8, and of protobuf, whose library has no class of its own.
    const isParsing = (cause instanceof TypeError && 'code' in cause) || cause.message === 'premature EOF';
    if (!isParsing && (cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError))
      return cause;
  }
  return undefined;
}

function stackOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split('\n').slice(0, 6).join(' | ').slice(0, 900)
    : String(error);
}

/** Notes where every file that this process opens really lies. */
function watchOpens(): void {
  const note = (path: unknown): void => {
    try {
      if (typeof path === 'string') opened.push(realpathSync(path));
    } catch {
      // none there
    }
  };
  const { openSync, readFileSync } = fs;
  fs.openSync = (path, ...rest) => {
    note(path);
    return openSync(path, ...rest);
  };
  fs.readFileSync = ((path: never, ...rest: never[]) => {
    note(path);
    return readFileSync(path, ...rest);
  }) as typeof readFileSync;
  syncBuiltinESMExports();
}
