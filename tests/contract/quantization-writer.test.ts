import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Derivation } from '../../src/graph/derivation.ts';
import { layOut, type Layout } from '../../src/quantization/layout.ts';
import type { FromWriter } from '../../src/quantization/messages.ts';
import type * as Channel from '../../src/quantization/writer-channel.ts';
import { readTensorIndex } from '../../src/store/safetensors.ts';
import { importBuilt } from '../built.ts';
import { writeSafetensors } from '../graph/safetensors-file.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import { inProcessWriters } from '../quantization/writers.ts';

const { forkWriter } = await importBuilt<typeof Channel>('quantization/writer-channel.ts');
const values = Float32Array.from({ length: 50 * 40 }, (_, i) => Math.sin(i));

/** A matrix, and the ways to make it smaller. */
function prepare() {
  const folder = tempFolder();
  writeSafetensors(folder, { w: { shape: [50, 40], data: values } });
  const from = readTensorIndex(folder).get('w')!;
  const derivations: readonly Derivation[] = [
    { kind: 'copy', from, to: 'copy' },
    { kind: 'int8-rows', from, codes: 'table', scales: 'table scales' },
    { kind: 'int8-linears', linears: [{ from, codes: 'matrix', scales: 'matrix scales' }] },
    { kind: 'block-linear', bits: 4, blockSize: 32, from, codes: '4', scales: '4 scales', zeroPoints: '4 zeros' },
  ];
  const file = join(folder, 'made.partial');
  const layout = layOut(derivations, file);
  writeFileSync(file, new Uint8Array(layout.sizeBytes));
  return { derivations, layout, file, checkpoint: from.file };
}

/** A writer that has a file open, with its answers and its end as promises. */
function open(openWriter: Channel.OpenWriter, { file, layout }: { readonly file: string; readonly layout: Layout }) {
  const answers: ((message: FromWriter) => void)[] = [];
  const ends: ((reason: string) => void)[] = [];
  const ended = new Promise<string>((resolve) => ends.push(resolve));
  const channel = openWriter({
    message: (message) => answers.shift()?.(message),
    exit: (reason) => ends[0]?.(reason),
  });
  onTestFinished(() => channel.kill());
  channel.send({ kind: 'open', file, tensors: layout.tensors });
  const derive = (derivation: Derivation) =>
    new Promise<FromWriter>((resolve) => {
      answers.push(resolve);
      channel.send({ kind: 'derive', derivation });
    });
  return { derive, ended, kill: () => channel.kill() };
}

/** What was made of the matrix. */
async function make(openWriter: Channel.OpenWriter): Promise<Buffer> {
  const prepared = prepare();
  const { derive } = open(openWriter, prepared);
  for (const derivation of prepared.derivations) expect(await derive(derivation)).toEqual({ kind: 'derived' });
  return readFileSync(prepared.file);
}

describe.each([
  ['a process', () => forkWriter],
  ['the one of the tests', () => inProcessWriters().openWriter],
] as const)('the contract of a writer: %s', (_name, writer) => {
  test('what it answers for is in the file', async () => {
    expect((await make(writer())).some((byte) => byte !== 0)).toBe(true);
  });

  test('a tensor that cannot be made is told, and the next is made', async () => {
    const prepared = prepare();
    const { derive } = open(writer(), prepared);
    const bytes = readFileSync(prepared.checkpoint);
    truncateSync(prepared.checkpoint, bytes.length - 4000);
    expect(await derive(prepared.derivations[1]!)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('too short') as string,
    });
  });
});

test('a process makes the very bytes that are made here', async () => {
  expect((await make(forkWriter)).equals(await make(inProcessWriters().openWriter))).toBe(true);
});

test('a process that is killed is told', async () => {
  const prepared = prepare();
  const writer = open(forkWriter, prepared);
  await writer.derive(prepared.derivations[0]!);
  writer.kill();
  expect(await writer.ended).toBe('signal SIGKILL');
});
