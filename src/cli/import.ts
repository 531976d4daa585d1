import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { loadConfig, type Config, type ConfigInput } from '../config.ts';
import { importModels } from '../store/archive/import-models.ts';
import type { ImportedModel } from '../store/archive/place-models.ts';
import { findDiskProblem, makeCacheWritable } from '../store/disk-problem.ts';
import { withByteProgress } from './byte-progress.ts';
import { CliError } from './cli-error.ts';
import type { CliContext } from './context.ts';
import { formatBytes } from '../util/format-bytes.ts';
import { runStoppable } from './stoppable.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { writeOut } from './write-out.ts';

export interface ImportOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  readonly json: boolean;
}

/** Takes the models of an archive, a path or `-` for stdin, and says what is there now. */
export async function importArchive(archive: string, options: ImportOptions, context: CliContext): Promise<void> {
  const { config, unknown } = loadConfig({ ...context, flags: options.flags });
  await warnOfUnknown(unknown, context.stderr);
  const input = openArchive(archive, context);
  const imported = await runStoppable({ context, hint: '; nothing was imported' }, async (signal) => {
    // Also while whoever sends the archive makes it wait.
    signal.addEventListener('abort', () => input.destroy(signal.reason as Error), { once: true });
    try {
      const { hfHubCache, modelsDir } = config;
      return await withByteProgress({ stderr: context.stderr, label: 'importing' }, ({ hooks }) =>
        importModels(input, { hfHubCache, modelsDir, signal, ...hooks }),
      );
    } catch (error) {
      throw explain(error, archive, config);
    }
  });
  const rows = imported.map(toRow);
  const lines = rows.map(
    ({ repository, revision, sizeBytes, folder }) =>
      `${repository}${revision === null ? '' : `@${revision}`}: ${formatBytes(sizeBytes)} in ${folder}\n`,
  );
  await writeOut(context.stdout, options.json ? `${JSON.stringify(rows, null, 2)}\n` : lines.join(''));
}

/** @throws CliError where there is nothing to read */
function openArchive(archive: string, { stdin }: CliContext): Readable {
  if (archive === '-') {
    if (stdin.isTTY === true)
      throw new CliError('expected an archive on stdin, got a terminal: give the path of one', { exitCode: 2 });
    return stdin;
  }
  const stat = statSync(archive, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory())
    throw new CliError(
      `expected an archive that \`embeddings export\` wrote, got ${archive}, which ${stat === undefined ? 'does not exist' : 'is a folder'}`,
    );
  return createReadStream(archive, { highWaterMark: 1024 * 1024 });
}

/** Errors of the folders that are written to in words; those of the archive as they are. */
function explain(error: unknown, archive: string, { hfHubCache, modelsDir }: Config): unknown {
  const { path, syscall } = (error ?? {}) as { readonly path?: unknown; readonly syscall?: unknown };
  if (path === archive || syscall === 'read') return error;
  const isLocal = modelsDir !== undefined && typeof path === 'string' && path.startsWith(modelsDir);
  const found = findDiskProblem(error, isLocal ? modelsDir : hfHubCache);
  if (found === undefined) return error;
  const local = 'Give this user the right to, or choose another folder with EMBEDDINGS_MODELS_DIR.';
  const todo = isLocal ? local : makeCacheWritable;
  return new CliError(`${found.problem} ${found.kind === 'disk_full' ? 'Free some, then import again.' : todo}`, {
    cause: error,
  });
}

function toRow({ model, folder }: ImportedModel) {
  return {
    repository: model.repository,
    revision: model.kind === 'cache' ? model.revision : null,
    commit: model.kind === 'cache' ? model.commit : null,
    folder,
    sizeBytes: Object.values(model.files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}
