import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blobName, commitA, commitB, putSnapshot, tinyModel, tinyWeights } from '../../tests/store/fake-hub-cache.ts';
import { locateModel } from './locate-model.ts';
import { planRemoval, removeSnapshots, type Removal } from './remove-snapshots.ts';

let hub: string;
beforeEach(() => (hub = mkdtempSync(join(tmpdir(), 'embeddings-rm-'))));
afterEach(() => rmSync(hub, { recursive: true }));

const other = { 'config.json': '{"b":1}', 'model.safetensors': tinyWeights };
const at = (path: string): string => join(hub, 'models--acme--one', path);
const isComplete = (revision?: string): boolean =>
  locateModel('acme/one', { revision, hfHubCache: hub, bundledDir: '/nowhere' }) !== undefined;

function remove(revision?: string): Removal {
  const plan = planRemoval(hub, 'acme/one', revision);
  if (plan === undefined) throw new Error('nothing to remove');
  removeSnapshots(hub, plan);
  return plan;
}

test('one revision goes with its refs and its own blobs; another stays whole', () => {
  putSnapshot(hub, { refs: ['main', 'v1', 'refs/pr/3'] });
  putSnapshot(hub, { commit: commitB, refs: ['v2'], files: other });
  writeFileSync(at('blobs/half.incomplete'), 'xx');
  mkdirSync(at(`.no_exist/${commitA}`), { recursive: true });
  const { freedBytes, refs } = remove('main');
  expect(refs.toSorted()).toEqual(['main', 'refs/pr/3', 'v1']);
  expect(freedBytes).toBe('{}'.length + '{"pooling_mode_mean_tokens":true}'.length);
  expect([isComplete(), isComplete('v1'), isComplete('v2'), isComplete(commitB)]).toEqual([false, false, true, true]);
  expect(readdirSync(at('snapshots'))).toEqual([commitB]);
  expect(readdirSync(at('blobs')).toSorted()).toEqual(
    [
      blobName('config.json', other['config.json']),
      blobName('model.safetensors', tinyWeights),
      'half.incomplete',
    ].toSorted(),
  );
  expect(readdirSync(at('.no_exist'))).toEqual([]);
  expect(existsSync(at('refs/v2'))).toBe(true);
});

test('a whole model goes with everything, partial downloads and locks too, and no other model', () => {
  putSnapshot(hub);
  putSnapshot(hub, { commit: commitB, refs: ['v2'], files: other });
  putSnapshot(hub, { repository: 'acme/two' });
  writeFileSync(at('blobs/half.incomplete'), 'xx');
  mkdirSync(join(hub, '.locks/models--acme--one'), { recursive: true });
  const sizes = [...Object.values(tinyModel), other['config.json']].map((content) => Buffer.byteLength(content));
  expect(remove().freedBytes).toBe(sizes.reduce((sum, size) => sum + size, 2));
  expect(readdirSync(hub).toSorted()).toEqual(['.locks', 'models--acme--two']);
  expect(readdirSync(join(hub, '.locks'))).toEqual([]);
});

test('the last revision takes the whole folder with it', () => {
  putSnapshot(hub);
  expect(remove(commitA).isWhole).toBe(true);
  expect(readdirSync(hub)).toEqual([]);
});

test('after a removal that broke off, no snapshot looks complete, and the next one ends it', () => {
  putSnapshot(hub);
  const plan = planRemoval(hub, 'acme/one') as Removal;
  rmSync(at('blobs'), { recursive: true });
  mkdirSync(at('blobs'));
  expect(() => removeSnapshots(hub, { ...plan, commits: ['not there'] })).toThrow(/ENOENT/); // stops after the refs
  expect(isComplete()).toBe(false);
  remove();
  expect(readdirSync(hub)).toEqual([]);
});

test('nothing there is nothing to remove', () => {
  expect(planRemoval(hub, 'acme/one')).toBeUndefined();
  putSnapshot(hub);
  expect(planRemoval(hub, 'acme/one', 'v9')).toBeUndefined();
  expect(planRemoval(hub, 'acme/one', commitB)).toBeUndefined();
});
