import { existsSync, renameSync, rmSync } from 'node:fs';
import { loadConfig, type ConfigInput } from '../config.ts';
import { bytesToHash, planExport, type Export, type ExportSource } from '../store/archive/export-models.ts';
import { writeArchive } from '../store/archive/write-archive.ts';
import { describePlaces } from '../store/locate-model.ts';
import { writeNewFile } from '../store/write-new-file.ts';
import { withByteProgress, type ByteProgress } from './byte-progress.ts';
import { CliError } from './cli-error.ts';
import type { CliContext } from './context.ts';
import { formatBytes } from '../util/format-bytes.ts';
import { openStore, placesOf, selectModels, type ModelStore } from './model-store.ts';
import { runStoppable } from './stoppable.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { untilAborted } from './until-aborted.ts';
import { StdoutClosed, writeOut } from './write-out.ts';

export interface ExportOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  /** A path, or `-` for stdout. */
  readonly output: string;
  /** Replace a file that is there. */
  readonly force: boolean;
  readonly json: boolean;
}

/** Writes models into one tar file. A failed export leaves no file. */
export async function exportModels(
  names: readonly string[],
  options: ExportOptions,
  context: CliContext,
): Promise<void> {
  const { config, unknown } = loadConfig({ ...context, flags: options.flags });
  await warnOfUnknown(unknown, context.stderr);
  checkOutput(options, context);
  const sources = findSources(names, openStore(config));
  await runStoppable({ context }, async (signal) => {
    const plan = await hashAll(sources, { context, signal });
    const { totalBytes } = plan;
    await withByteProgress({ stderr: context.stderr, label: 'writing', totalBytes }, async (progress) => {
      const chunks = counted(writeArchive(plan.items), { progress, signal });
      if (options.output === '-') await untilAborted(writeToStdout(chunks, context), signal);
      else await writeToFile(chunks, options.output);
    });
    await report(plan, options, context);
  });
}

/** @throws CliError for an output that cannot be */
function checkOutput({ output, force, json }: ExportOptions, { stdout }: CliContext): void {
  if (output === '-' && json)
    throw new CliError('expected --json or --output -, got both: stdout carries the archive', { exitCode: 2 });
  if (output === '-' && stdout.isTTY === true)
    throw new CliError('expected stdout to be a file or a pipe for --output -, got a terminal', { exitCode: 2 });
  if (output !== '-' && !force && existsSync(output))
    throw new CliError(`expected --output to be a new file, got ${output}, which exists; --force replaces it`);
}

/** The models named must be here; without names it is those of the allowlist that are. @throws CliError */
function findSources(names: readonly string[], store: ModelStore): readonly ExportSource[] {
  const sources: ExportSource[] = [];
  for (const model of selectModels(names, store)) {
    const places = placesOf(model, store);
    const place = places.find(({ problem }) => problem === undefined);
    if (place !== undefined) sources.push({ repository: model.repository, revision: model.revision, place });
    else if (names.length > 0)
      throw new CliError(
        `no files of ${model.name} on this machine: run \`embeddings pull ${model.name}\`; looked in ${describePlaces(places)}`,
      );
  }
  if (sources.length === 0) throw new CliError('expected a model of the allowlist on this machine, got none; pull one');
  return sources;
}

interface Running {
  readonly context: CliContext;
  readonly signal: AbortSignal;
}

async function hashAll(sources: readonly ExportSource[], { context, signal }: Running): Promise<Export> {
  const totalBytes = bytesToHash(sources);
  return withByteProgress({ stderr: context.stderr, label: 'checksums', totalBytes }, (progress) =>
    planExport(sources, { onBytes: (bytes) => progress.add(bytes), signal }),
  );
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  { progress, signal }: { readonly progress: ByteProgress; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
    progress.add(chunk.length);
  }
}

async function writeToStdout(chunks: AsyncIterable<Uint8Array>, { stdout }: CliContext): Promise<void> {
  try {
    for await (const chunk of chunks) await writeOut(stdout, chunk);
  } catch (error) {
    // Who reads only a part of vectors has seen enough; a part of an archive is worth nothing.
    if (error instanceof StdoutClosed)
      throw new CliError('stdout was closed before the archive ended', { cause: error });
    throw error;
  }
}

async function writeToFile(chunks: AsyncIterable<Uint8Array>, output: string): Promise<void> {
  const temporary = `${output}.${process.pid}.part`;
  try {
    await writeNewFile(temporary, chunks);
    renameSync(temporary, output);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

async function report({ models, totalBytes }: Export, options: ExportOptions, context: CliContext): Promise<void> {
  const { output, json } = options;
  if (output === '-') return;
  const rows = models.map((model) => ({
    repository: model.repository,
    revision: model.kind === 'cache' ? model.revision : null,
    commit: model.kind === 'cache' ? model.commit : null,
    files: Object.keys(model.files).length,
    sizeBytes: Object.values(model.files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }));
  const lines = rows.map(
    ({ repository, commit, files, sizeBytes }) =>
      `${repository}: ${files} files, ${formatBytes(sizeBytes)}${commit === null ? '' : `, commit ${commit}`}\n`,
  );
  const text = `${lines.join('')}wrote ${output}, ${formatBytes(totalBytes)}\n`;
  await writeOut(
    context.stdout,
    json ? `${JSON.stringify({ output, sizeBytes: totalBytes, models: rows }, null, 2)}\n` : text,
  );
}
