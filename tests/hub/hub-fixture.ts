import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { repositoryCache } from '../../src/store/hub-cache.ts';
import { type DownloadOptions, downloadModel } from '../../src/store/hub/download-model.ts';
import { type DownloadSystem, realSystem } from '../../src/store/hub/download-system.ts';
import type { HubError } from '../../src/store/hub/hub-error.ts';
import { locateModel, type LocatedModel } from '../../src/store/locate-model.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import { type FakeHub, type FakeHubOptions, startFakeHub } from './fake-hub.ts';
import { type FakeRepository, fakeRepository, type RepositoryOptions } from './fake-repository.ts';

export const modelId = 'org/small-model';

/** Bytes that compress badly and differ everywhere, so that a byte in the wrong place shows. */
export function noise(bytes: number, seed = 'seed'): Buffer {
  const blocks = Array.from({ length: Math.ceil(bytes / 64) }, (_, block) =>
    createHash('sha512').update(`${seed}${block}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, bytes);
}

export const weightBytes = 400_000;

/** A model of every kind of file that is wanted, and of some that are not. */
export function smallModel(options: RepositoryOptions = {}): FakeRepository {
  const pooling = { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' };
  const dense = { idx: 2, name: '2', path: '2_Dense', type: 'sentence_transformers.models.Dense' };
  const transformer = { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' };
  return fakeRepository(
    modelId,
    {
      'README.md': '# not wanted',
      'modeling_own.py': 'import os',
      'config.json': '{"model_type": "bert"}',
      'modules.json': JSON.stringify([transformer, pooling, dense]),
      '1_Pooling/config.json': '{"pooling_mode_mean_tokens": true}',
      '2_Dense/config.json': '{"in_features": 4, "out_features": 4}',
      '2_Dense/model.safetensors': noise(20_000, 'dense'),
      'tokenizer.json': noise(50_000, 'tokenizer').toString('hex'),
      'tokenizer_config.json': '{}',
      'model.safetensors': noise(weightBytes, 'weights'),
      'pytorch_model.bin': noise(10_000, 'torch'),
      'tf_model.h5': noise(10_000, 'tf'),
      'onnx/model.onnx': noise(10_000, 'onnx'),
    },
    options,
  );
}

export const wantedOfSmallModel = [
  '1_Pooling/config.json',
  '2_Dense/config.json',
  '2_Dense/model.safetensors',
  'config.json',
  'model.safetensors',
  'modules.json',
  'tokenizer.json',
  'tokenizer_config.json',
];

/** A fake hub that stops when the test ends. */
export async function hubOf(options: Partial<FakeHubOptions> = {}): Promise<FakeHub> {
  const hub = await startFakeHub({ repositories: [smallModel()], ...options });
  onTestFinished(() => hub.close());
  return hub;
}

/** For faults that are silence. */
export const impatient: DownloadSystem['timeouts'] = { connectMs: 1000, answerMs: 500, idleMs: 500 };

/** Waits take no time and are written down. */
export function fastSystem(changes: Partial<DownloadSystem> = {}): DownloadSystem & { readonly waits: number[] } {
  const waits: number[] = [];
  const sleep: DownloadSystem['sleep'] = async (ms, signal) => {
    waits.push(ms);
    await new Promise(setImmediate);
    signal.throwIfAborted();
  };
  return { ...realSystem, sleep, waits, ...changes };
}

export interface Cache {
  readonly folder: string;
  readonly download: (
    changes?: Partial<DownloadOptions>,
    system?: DownloadSystem,
    id?: string,
  ) => Promise<LocatedModel>;
  readonly locate: (revision?: string) => LocatedModel | undefined;
}

export function cacheFor(hub: Pick<FakeHub, 'endpoint'>, folder: string = tempFolder()): Cache {
  return {
    folder,
    download: (changes = {}, system = fastSystem(), id = modelId) =>
      downloadModel(
        id,
        { hfHubCache: folder, hub: { endpoint: hub.endpoint, readToken: () => undefined }, ...changes },
        system,
      ),
    locate: (revision) => locateModel(modelId, { revision, hfHubCache: folder, bundledDir: '/nowhere' }),
  };
}

/** Paths of the files in a folder, sorted. */
export function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => lstatSync(join(folder, path), { throwIfNoEntry: false })?.isDirectory() === false)
    .toSorted();
}

/** Every blob that has its name for good, and every file of every snapshot, holds what the repository holds. */
export function expectNothingCorrupt(cache: string, repository: FakeRepository): void {
  const { blobs, snapshots } = repositoryCache(cache, repository.id);
  const contents = new Map([...repository.files.values()].map(({ etag, content }) => [etag, content]));
  for (const name of filesBelow(blobs).filter((blob) => !blob.endsWith('.incomplete')))
    expect(contents.get(name)?.equals(readFileSync(join(blobs, name))), `blob ${name}`).toBe(true);
  for (const path of filesBelow(snapshots)) {
    const [commit = '', ...names] = path.split('/');
    expect(commit).toBe(repository.commit);
    const file = repository.files.get(names.join('/'));
    expect(file?.content.equals(readFileSync(join(snapshots, path))), `snapshot ${path}`).toBe(true);
  }
}

/** The name of a file's blob. */
export function etagOf(repository: FakeRepository, path: string): string {
  return repository.files.get(path)?.etag ?? '';
}

/** Bytes of a partial file. */
export function partialBytes(cache: string, repository: FakeRepository, path: string): number {
  const file = join(repositoryCache(cache, repository.id).blobs, `${etagOf(repository, path)}.embeddings.incomplete`);
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The error of a download that must fail. */
export async function failure(download: Promise<unknown>): Promise<HubError> {
  return download.then(
    () => {
      throw new Error('Expected the download to fail, it did not.');
    },
    (error: unknown) => error as HubError,
  );
}
