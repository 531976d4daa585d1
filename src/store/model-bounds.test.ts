import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { putFolder, putSnapshot } from '../../tests/store/fake-hub-cache.ts';
import { findForeignFile, findForeignLink } from './model-bounds.ts';

test('files in the folder and links to blobs of their repository are inside', () => {
  const home = tempFolder();
  expect(findForeignLink(putFolder(join(home, 'acme/one')))).toBeUndefined();
  expect(findForeignLink(putSnapshot(join(home, 'hub')))).toBeUndefined();
});

test('the folder itself and the folder of blobs may be links', () => {
  const home = tempFolder();
  const snapshot = putSnapshot(join(home, 'hub'));
  symlinkSync(snapshot, join(home, 'short'));
  expect(findForeignLink(join(home, 'short'))).toBeUndefined();
  renameSync(join(home, 'hub/models--acme--one/blobs'), join(home, 'disk'));
  symlinkSync(join(home, 'disk'), join(home, 'hub/models--acme--one/blobs'));
  expect(findForeignLink(snapshot)).toBeUndefined();
});

test.each(['config.json', 'tokenizer.model', '1_Pooling/config.json', 'model.onnx_data'])(
  'a link %s to another place is named',
  (name) => {
    const home = tempFolder();
    const [folder, snapshot] = [putFolder(join(home, 'acme/one')), putSnapshot(join(home, 'hub'))];
    writeFileSync(join(home, 'secret'), 'secret');
    for (const place of [folder, snapshot]) {
      renameIfThere(join(place, name));
      symlinkSync(join(home, 'secret'), join(place, name));
      expect(findForeignLink(place)).toBe(name);
    }
  },
);

test('blobs of another repository, and folders that are links, are outside', () => {
  const home = tempFolder();
  const snapshot = putSnapshot(join(home, 'hub'));
  const other = putSnapshot(join(home, 'hub'), { repository: 'acme/two' });
  symlinkSync(join(other, 'config.json'), join(snapshot, 'vocab.txt'));
  expect(findForeignLink(snapshot)).toBe('vocab.txt');
  const folder = putFolder(join(home, 'acme/one'), { 'config.json': '{}' });
  symlinkSync(other, join(folder, '2_Dense'));
  expect(findForeignLink(folder)).toMatch(/^2_Dense\//);
});

test('what is no file of a model may lead anywhere', () => {
  const folder = putFolder(join(tempFolder(), 'acme/one'));
  symlinkSync('/etc/hostname', join(folder, 'README.md'));
  symlinkSync('/nowhere', join(folder, 'vocab.txt'));
  expect(findForeignLink(folder)).toBeUndefined();
  expect(findForeignFile(folder, [join(folder, 'README.md')])).toBe(join(folder, 'README.md'));
});

test('links in a circle end', () => {
  const folder = putFolder(join(tempFolder(), 'acme/one'));
  for (const name of ['a', 'b', 'c']) symlinkSync('.', join(folder, name));
  expect(() => findForeignLink(folder)).toThrow(/Expected at most \d+ folders/);
});

function renameIfThere(file: string): void {
  try {
    renameSync(file, `${file}.old`);
  } catch {
    mkdirSync(join(file, '..'), { recursive: true });
  }
}
