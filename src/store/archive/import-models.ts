import { JsonShapeError } from '../check-json.ts';
import type { Symlink } from '../snapshot.ts';
import { checkGoals } from './check-goals.ts';
import { checkRoom } from './check-room.ts';
import { listEntries, manifestName, parseManifest, type ArchivedModel, type ExpectedEntry } from './manifest.ts';
import { placeModels, type ImportedModel } from './place-models.ts';
import { ArchiveError, readArchive, type ArchiveEntry } from './read-archive.ts';
import { Staging } from './staging.ts';
import { takeEntry, type TakeHooks } from './take-entry.ts';

export interface ImportOptions extends TakeHooks {
  readonly hfHubCache: string;
  /** Where plain folders go; without it an archive that holds some is refused. */
  readonly modelsDir: string | undefined;
  /** Once, when the archive has said how much it holds. */
  readonly onStart?: ((totalBytes: number) => void) | undefined;
  /** Tests make a file system without links of it. */
  readonly symlink?: Symlink;
}

const maxManifestBytes = 64 * 1024 * 1024; // some 300,000 files

/**
 * Takes the models of an archive to where they are looked for: everything, or nothing when anything is wrong with it.
 * Only what the manifest names is read, no path or link of the archive is followed, and links are our own.
 * @throws ArchiveError
 */
export async function importModels(
  input: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<readonly ImportedModel[]> {
  const { hfHubCache, modelsDir, onStart, signal, symlink } = options;
  const entries = readArchive(input);
  const staging = new Staging();
  try {
    const models = await readManifest(entries);
    const homeOf = (model: ArchivedModel): string => (model.kind === 'cache' ? hfHubCache : demand(modelsDir, model));
    const wanted = new Map(
      models.flatMap((model) => [...listEntries(model)].map(([path, entry]) => [path, { entry, model }] as const)),
    );
    const sizes = [...wanted].map(([path, { entry, model }]) => ({
      home: homeOf(model),
      path,
      sizeBytes: sizeOf(entry),
    }));
    checkGoals(sizes);
    await checkRoom(sizes);
    onStart?.(sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    const missing = new Set(wanted.keys());
    for await (const entry of entries) {
      signal?.throwIfAborted();
      if (entry.type === 'Directory') continue; // as `tar` writes them; ours come from the manifest
      const path = plainPath(entry);
      const found = wanted.get(path);
      if (found === undefined) throw new ArchiveError(`expected only files of the manifest, got ${show(entry.path)}`);
      if (!missing.delete(path)) throw new ArchiveError(`expected ${show(path)} once, got it again`);
      await takeEntry({ ...entry, path }, { ...found, home: homeOf(found.model), staging, hooks: options });
    }
    const [first] = missing;
    if (first !== undefined)
      throw new ArchiveError(`expected ${missing.size} more files, such as ${first}, got the end; copy it again`);
    return await placeModels(models, { homeOf, staging, symlink });
  } finally {
    staging.remove();
    await entries.return(undefined);
  }
}

/** @throws ArchiveError where the first file is not a good manifest */
async function readManifest(entries: AsyncGenerator<ArchiveEntry>): Promise<readonly ArchivedModel[]> {
  for (;;) {
    const step = await entries.next();
    if (step.done === true) throw new ArchiveError(`expected ${manifestName} in the archive, got no file`);
    const entry = step.value;
    if (entry.type === 'Directory') continue;
    if (plainPath(entry) !== manifestName)
      throw new ArchiveError(`expected ${manifestName} as the first file of the archive, got ${show(entry.path)}`);
    if (entry.sizeBytes > maxManifestBytes)
      throw new ArchiveError(`expected at most ${maxManifestBytes} bytes of ${manifestName}, got ${entry.sizeBytes}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.content) chunks.push(chunk);
    try {
      return parseManifest(Buffer.concat(chunks).toString('utf8')).models;
    } catch (cause) {
      if (cause instanceof JsonShapeError || cause instanceof SyntaxError)
        throw new ArchiveError(`${manifestName}: ${cause.message}`, { cause });
      throw cause;
    }
  }
}

/** `tar -C folder .` puts `./` before every name. */
function plainPath({ path }: ArchiveEntry): string {
  return path.replace(/^(\.\/)+/, '');
}

function demand(modelsDir: string | undefined, { repository }: ArchivedModel): string {
  if (modelsDir !== undefined) return modelsDir;
  throw new ArchiveError(
    `${repository} is a plain folder in this archive; say where such folders go with --models-dir (EMBEDDINGS_MODELS_DIR)`,
  );
}

function sizeOf(entry: ExpectedEntry): number {
  return entry.kind === 'file' ? entry.sizeBytes : 0;
}

function show(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}
