import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import { openModel } from '../../models/open-model.ts';
import { describeWeights } from './weight-facts.ts';

const golden = (name: string) =>
  fileURLToPath(new URL(`../../../tests/goldens/models/weights/${name}`, import.meta.url));

test('blobs of the Hugging Face cache, which have no extension, keep the format of their names', async () => {
  const repository = join(tempFolder(), 'models--org--name');
  const [snapshot, blobs] = [join(repository, 'snapshots', 'a'.repeat(40)), join(repository, 'blobs')];
  for (const folder of [snapshot, blobs]) mkdirSync(folder, { recursive: true });
  for (const [index, name] of readdirSync(golden('bin')).entries()) {
    cpSync(join(golden('bin'), name), join(blobs, String(index)), { recursive: true });
    symlinkSync(join(blobs, String(index)), join(snapshot, name));
  }
  expect(describeWeights(snapshot, (await openModel(snapshot)).tensors)).toMatchObject({
    format: 'PyTorch',
    tensors: 40,
  });
});
