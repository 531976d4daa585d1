import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { fakeWriters, inProcessWriters } from '../../tests/quantization/writers.ts';
import type { Derivation } from '../graph/derivation.ts';
import { readTensorIndex } from '../store/safetensors.ts';
import { obtainQuantized, type QuantizedFileOptions } from './quantized-file.ts';

/** A checkpoint of one matrix, and what asks for it in 8 bits. */
function prepare(options: Partial<QuantizedFileOptions> = {}) {
  const [source, folder] = [tempFolder(), join(tempFolder(), 'below', 'quantized')];
  writeSafetensors(source, { w: { shape: [40, 40], data: new Float32Array(1600).fill(3) } });
  const from = readTensorIndex(source).get('w')!;
  const derivations: readonly Derivation[] = [{ kind: 'int8-rows', from, codes: 'codes', scales: 'scales' }];
  const { writers, openWriter } = inProcessWriters();
  const obtain = (more: Partial<QuantizedFileOptions> = {}) =>
    obtainQuantized({ derivations, label: 'int8', folders: [folder], processes: 1, openWriter, ...options, ...more });
  return { checkpoint: from.file, derivations, folder, obtain, writers };
}

test('the file is made once, and the next call finds it without a process', async () => {
  const { folder, obtain, writers } = prepare();
  const first = await obtain();
  expect(basename(first.file)).toMatch(/^int8-[0-9a-f]{16}\.safetensors$/);
  expect(readdirSync(folder)).toEqual([basename(first.file)]);
  expect(writers.length).toBe(1);
  expect(await obtain()).toEqual(first);
  expect(writers.length).toBe(1);
  const codes = first.tensors.get('codes')!;
  expect(readFileSync(first.file).readInt8(codes.offset)).toBe(127);
});

test('another time of change, size or place of the checkpoint gives another file, as does another label', async () => {
  const { checkpoint, derivations, obtain } = prepare();
  const names = [basename((await obtain()).file)];
  utimesSync(checkpoint, 1000, 1000);
  names.push(basename((await obtain()).file));
  writeFileSync(checkpoint, Buffer.concat([readFileSync(checkpoint), Buffer.alloc(4)]));
  utimesSync(checkpoint, 1000, 1000);
  names.push(basename((await obtain()).file));
  names.push(basename((await obtain({ label: 'int4' })).file));
  const renamed = derivations.map((derivation) => ({ ...derivation, codes: 'others' }));
  names.push(basename((await obtain({ derivations: renamed as readonly Derivation[] })).file));
  expect(new Set(names).size).toBe(names.length);
});

test.each<[string, (file: string) => void]>([
  ['cut short', (file) => truncateSync(file, statSync(file).size - 1)],
  ['with another header', (file) => writeFileSync(file, Buffer.alloc(statSync(file).size))],
  ['that is empty', (file) => truncateSync(file, 0)],
])('a file %s is made again', async (_name, spoil) => {
  const { obtain, writers } = prepare();
  const { file } = await obtain();
  const whole = readFileSync(file);
  spoil(file);
  expect((await obtain()).file).toBe(file);
  expect(writers.length).toBe(2);
  expect(readFileSync(file).equals(whole)).toBe(true);
});

test.each([
  ['below a file', 'quantized'],
  ['that is a file', ''],
])('a folder %s is passed over, and what lies in the next is found again', async (_name, below) => {
  const blocked = join(tempFolder(), 'a file');
  writeFileSync(blocked, ''); // root may write everywhere, but not here
  const { folder, obtain, writers } = prepare();
  const folders = [join(blocked, below), folder];
  const { file } = await obtain({ folders });
  expect(file).toBe(join(folder, basename(file)));
  await obtain({ folders });
  expect(writers.length).toBe(1);
});

test.skipIf(process.getuid?.() === 0)('a folder without the right to write is passed over', async () => {
  const closed = join(tempFolder(), 'closed');
  mkdirSync(closed, { mode: 0o555 });
  const { folder, obtain } = prepare();
  const { file } = await obtain({ folders: [closed, folder] });
  expect(file).toBe(join(folder, basename(file)));
  chmodSync(closed, 0o755);
});

test('a file in a later folder is used before one is made in an earlier one', async () => {
  const { folder, obtain, writers } = prepare();
  const { file } = await obtain();
  const other = join(tempFolder(), 'other');
  expect((await obtain({ folders: [other, folder] })).file).toBe(file);
  expect(writers.length).toBe(1);
});

test('where no folder can be written to, the problem of the first is told', async () => {
  const [one, two] = ['one', 'two'].map((name) => {
    const file = join(tempFolder(), name);
    writeFileSync(file, '');
    return join(file, 'quantized');
  });
  const { obtain } = prepare();
  await expect(obtain({ folders: [one!, two!] })).rejects.toMatchObject({
    code: expect.stringMatching(/^E(NOTDIR|EXIST|NOENT)$/) as string,
    message: expect.stringContaining(one!) as string,
  });
});

test('a folder that is full is passed over, one whose process fails otherwise is not', async () => {
  const failing = (code: string | undefined) =>
    fakeWriters(({ events, sent }, message) => {
      if (message.kind !== 'derive') return;
      const isFirst = sent[0]?.kind === 'open' && sent[0].file.includes('full');
      if (isFirst) events.message({ kind: 'failed', reason: 'it fails', code, syscall: 'write' });
      else events.message({ kind: 'derived' });
    }).openWriter;
  const full = join(tempFolder(), 'full');
  const { folder, obtain } = prepare();
  const folders = [full, folder];
  await expect(obtain({ folders, openWriter: failing(undefined) })).rejects.toThrow('it fails');
  const { file } = await obtain({ folders, openWriter: failing('ENOSPC') });
  expect(file).toBe(join(folder, basename(file)));
  expect(readdirSync(full)).toEqual([]);
});

test('a weight that is not finite is an error, and leaves nothing behind', async () => {
  const { folder, checkpoint, obtain } = prepare();
  const bytes = readFileSync(checkpoint);
  bytes.writeFloatLE(Infinity, bytes.length - 4);
  writeFileSync(checkpoint, bytes);
  await expect(obtain()).rejects.toThrow(/finite/);
  expect(readdirSync(folder)).toEqual([]);
});

test('files that killed processes left are cleared away after an hour, others stay', async () => {
  const { folder, obtain } = prepare();
  mkdirSync(folder, { recursive: true });
  const nowSeconds = Date.now() / 1000;
  for (const [name, ageSeconds] of [
    ['old.partial', 4000],
    ['young.partial', 60],
    ['old.safetensors', 4000],
  ] as const) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), nowSeconds - ageSeconds, nowSeconds - ageSeconds);
  }
  const { file } = await obtain();
  expect(readdirSync(folder).toSorted()).toEqual([basename(file), 'old.safetensors', 'young.partial'].toSorted());
});

test('an abort is told with its reason', async () => {
  const { obtain } = prepare();
  await expect(obtain({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
});
