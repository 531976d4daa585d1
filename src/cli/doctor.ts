import { loadConfig, type ConfigInput } from '../config.ts';
import { ServiceError } from '../errors.ts';
import { CliError } from './cli-error.ts';
import type { CliContext } from './context.ts';
import { compareModel } from './doctor/compare-model.ts';
import type { Comparison } from './doctor/compare.ts';
import { diagnose, type Findings, type ReadyModel } from './doctor/diagnose.ts';
import type { Diagnosis, Problem } from './doctor/diagnosis.ts';
import { listUnverified } from './doctor/list-unverified.ts';
import { toText } from './doctor/to-text.ts';
import { tryRun, type TrialRun } from './doctor/try-run.ts';
import { findRunProblems } from './doctor/verdict.ts';
import { findModel } from './find-model.ts';
import { Notes } from './notes.ts';
import { runStoppable } from './stoppable.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { writeOut } from './write-out.ts';

export interface DoctorOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  /** The first is the sample whose tokens are shown; all are compared. */
  readonly text?: readonly string[] | undefined;
  /** Embed one text. */
  readonly run: boolean;
  readonly compare: boolean;
  /** Whose sentence-transformers is the reference; implies `compare`. */
  readonly python?: string | undefined;
  readonly json: boolean;
}

const defaultText = 'The quick brown fox jumps over the lazy dog';
const longBytes = 300_000_000; // of weights: some second to load

/** Explains how a model would run, tries it, and compares it with the reference. Exit code 1 where something is wrong. */
export async function examineModel(target: string, options: DoctorOptions, context: CliContext): Promise<number> {
  const { config, unknown } = loadConfig({ ...context, flags: options.flags });
  await warnOfUnknown(unknown, context.stderr);
  const found = findModel(target, config);
  const notes = new Notes(context.stderr);
  try {
    const logger = await context.createLogger({ level: 'silent', to: 'stderr' }); // what it would say is in the diagnosis
    const text = options.text?.[0] ?? defaultText;
    notes.note(`reading the files of ${target}`, { isLong: false });
    const { findings, ready } = await diagnose({ target, found, config, logger, text });
    const diagnosis = await complete(findings, ready, { options, context, notes });
    notes.clear();
    await writeOut(context.stdout, options.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : toText(diagnosis));
    return diagnosis.problems.length === 0 ? 0 : 1;
  } finally {
    notes.clear();
  }
}

interface Surroundings {
  readonly options: DoctorOptions;
  readonly context: CliContext;
  readonly notes: Notes;
}

/** Runs the model and the reference as far as asked for, and draws the conclusions. */
async function complete(findings: Findings, ready: ReadyModel | undefined, around: Surroundings): Promise<Diagnosis> {
  const { options, notes } = around;
  const problems: Problem[] = [...findings.problems];
  const isLong = (findings.resources?.memory.weightBytes ?? 0) > longBytes;
  const ids = Int32Array.from(findings.tokenizer?.pieces ?? [], ({ id }) => id);
  let tested: Pick<Diagnosis, 'run' | 'comparison'> = {};
  if (ready !== undefined && options.run && ids.length === 0)
    problems.push({ what: 'the text has no tokens: there is nothing to embed', todo: 'give another --text' });
  else if (ready !== undefined && options.run) {
    notes.note('loading the graph and embedding a text', { isLong });
    try {
      tested = { run: await tryReady(ids, ready) };
    } catch (error) {
      problems.push({ what: `the graph does not run: ${messageOf(error)}`, todo: 'report it: this is a bug' });
    }
  }
  if (ready !== undefined && (options.compare || options.python !== undefined)) {
    notes.note('comparing with sentence-transformers', { isLong: true });
    try {
      tested = { ...tested, comparison: await compareStoppable(ready, around) };
    } catch (error) {
      if (error instanceof CliError) throw error;
      const todo =
        error instanceof ServiceError
          ? 'give shorter texts with --text'
          : 'name a Python that has sentence-transformers with --python, or leave --compare out';
      problems.push({ what: `no comparison: ${messageOf(error)}`, todo });
    }
  }
  problems.push(...findRunProblems({ ...findings, ...tested }));
  const canRun = ready !== undefined && (tested.run !== undefined || !options.run);
  return { ...findings, ...tested, unverified: listUnverified(findings), canRun, problems };
}

function tryReady(ids: Int32Array, { plan, provider, threads }: ReadyModel): Promise<TrialRun> {
  const { model, graph, maxTokens } = plan;
  return tryRun(ids.slice(0, maxTokens), maxTokens, { model, graph, provider, threads });
}

function compareStoppable(ready: ReadyModel, { options, context }: Surroundings): Promise<Comparison> {
  const { python = 'python3', text } = options;
  return runStoppable({ context }, (signal) => compareModel(ready, { python, env: context.env, texts: text, signal }));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
