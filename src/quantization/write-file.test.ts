import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeSafetensors } from '../../tests/graph/safetensors-file.ts';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { fakeWriters, inProcessWriters } from '../../tests/quantization/writers.ts';
import type { Derivation } from '../graph/derivation.ts';
import { readTensorIndex } from '../store/safetensors.ts';
import { layOut } from './layout.ts';
import type { OpenWriter } from './writer-channel.ts';
import { writeDerived, type WriteOptions, type WriteProgress, WriterError } from './write-file.ts';

const sizes = [3, 5, 2, 4];

/** Copies of tensors of 3, 5, 2 and 4 rows into one file. */
function prepare(openWriter: OpenWriter, more: Partial<WriteOptions> = {}) {
  const [source, folder] = [tempFolder(), tempFolder()];
  const tensors = sizes.map(
    (rows) => [`${rows}`, { shape: [rows, 2], data: new Float32Array(rows * 2).fill(rows) }] as const,
  );
  writeSafetensors(source, Object.fromEntries(tensors));
  const index = readTensorIndex(source);
  const derivations = sizes.map((rows): Derivation => ({
    kind: 'copy',
    from: index.get(`${rows}`)!,
    to: `to ${rows}`,
  }));
  const file = join(folder, 'model.safetensors');
  const layout = layOut(derivations, file);
  const written = writeDerived({ derivations, layout, file, processes: 2, openWriter, ...more });
  return { folder, file, layout, written };
}

test('the file is whole when it appears under its name', async () => {
  const { writers, openWriter } = inProcessWriters();
  const { folder, file, layout, written } = prepare(openWriter);
  expect(readdirSync(folder)).toEqual([`model.safetensors.${process.pid}.partial`]);
  await written;
  expect(readdirSync(folder)).toEqual(['model.safetensors']);
  expect(readTensorIndex(folder)).toEqual(layout.tensors);
  const bytes = readFileSync(file);
  for (const rows of sizes)
    for (let i = 0; i < rows * 2; i++)
      expect(bytes.readFloatLE(layout.tensors.get(`to ${rows}`)!.offset + 4 * i)).toBe(rows);
  expect(writers.map(({ isKilled }) => isKilled)).toEqual([true, true]);
});

test('the largest comes first, and whoever is done gets the next', async () => {
  const { writers, openWriter } = fakeWriters();
  const { written } = prepare(openWriter);
  const given = () =>
    writers.map(({ sent }) =>
      sent.map((message) => (message.kind === 'open' ? 'open' : (message.derivation as { to: string }).to)),
    );
  const [one, other] = writers;
  expect(given()).toEqual([
    ['open', 'to 5'],
    ['open', 'to 4'],
  ]);
  other!.events.message({ kind: 'derived' });
  other!.events.message({ kind: 'derived' });
  expect(given()).toEqual([
    ['open', 'to 5'],
    ['open', 'to 4', 'to 3', 'to 2'],
  ]);
  other!.events.message({ kind: 'derived' });
  one!.events.message({ kind: 'derived' });
  await written;
});

test('progress counts the bytes of the checkpoint, from none to all of them', async () => {
  const seen: WriteProgress[] = [];
  const { openWriter } = inProcessWriters();
  await prepare(openWriter, { processes: 1, onProgress: (progress) => seen.push(progress) }).written;
  expect(seen).toEqual([0, 40, 72, 96, 112].map((doneBytes) => ({ doneBytes, totalBytes: 112 })));
});

test('no more processes are started than there is work for', async () => {
  const { writers, openWriter } = inProcessWriters();
  await prepare(openWriter, { processes: 64 }).written;
  expect(writers.length).toBe(sizes.length);
});

test('a failure is told with its code, ends the other processes and leaves no file', async () => {
  const { writers, openWriter } = fakeWriters();
  const { folder, written } = prepare(openWriter);
  writers[1]!.events.message({ kind: 'failed', reason: 'no space', code: 'ENOSPC', syscall: 'write' });
  const error: unknown = await written.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WriterError);
  expect(error).toMatchObject({ message: 'no space', code: 'ENOSPC', syscall: 'write' });
  expect(readdirSync(folder)).toEqual([]);
  expect(writers.map(({ isKilled }) => isKilled)).toEqual([true, true]);
});

test('the death of a process is told and leaves no file', async () => {
  const { writers, openWriter } = fakeWriters();
  const { folder, written } = prepare(openWriter);
  writers[0]!.events.exit('signal SIGKILL');
  await expect(written).rejects.toThrow('The process that quantises weights ended (signal SIGKILL).');
  expect(readdirSync(folder)).toEqual([]);
  expect(writers.map(({ isKilled }) => isKilled)).toEqual([true, true]);
});

test('an abort ends the processes and is told with its reason, not with their death', async () => {
  const abort = new AbortController();
  const { writers, openWriter } = fakeWriters();
  const { folder, written } = prepare(openWriter, { signal: abort.signal });
  const reason = new Error('nobody wants it any more');
  abort.abort(reason);
  expect(writers.map(({ isKilled }) => isKilled)).toEqual([true, true]);
  for (const { events } of writers) events.exit('signal SIGKILL');
  await expect(written).rejects.toBe(reason);
  expect(readdirSync(folder)).toEqual([]);
});

test('an abort beforehand starts no process and leaves no file', async () => {
  const { writers, openWriter } = fakeWriters();
  const { folder, written } = prepare(openWriter, { signal: AbortSignal.abort(new Error('too late')) });
  await expect(written).rejects.toThrow('too late');
  expect([readdirSync(folder), writers]).toEqual([[], []]);
});
