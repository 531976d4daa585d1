import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ByteProgress } from './byte-progress.ts';

function show({ isTTY }: { readonly isTTY: boolean }) {
  let text = '';
  let nowMs = 0;
  const stream = new Writable({ write: (chunk, _, done) => ((text += String(chunk)), done()) });
  const progress = new ByteProgress({ stderr: Object.assign(stream, { isTTY }), label: 'acme/one', now: () => nowMs });
  return { progress, at: (ms: number) => (nowMs = ms), text: () => text };
}

test('a log gets a line every five seconds, with the speed of what was fetched now', () => {
  const { progress, at, text } = show({ isTTY: false });
  progress.set({ doneBytes: 10e6, totalBytes: 100e6 }); // there from before
  at(4000);
  progress.set({ doneBytes: 20e6, totalBytes: 100e6 });
  at(5000);
  progress.set({ doneBytes: 30e6, totalBytes: 100e6 });
  at(6000);
  progress.set({ doneBytes: 40e6, totalBytes: 100e6 });
  progress.stop();
  expect(text()).toBe('acme/one: 30%, 30.0 MB of 100.0 MB, 4.0 MB/s, 18 s left\n');
});

test('a terminal gets a bar in its line, which goes at the end', () => {
  const { progress, at, text } = show({ isTTY: true });
  progress.set({ doneBytes: 0, totalBytes: 2e9 });
  at(1000);
  progress.add(1e9);
  progress.stop();
  expect(text()).toBe('\r\u001B[2K[======      ] 50%, 1.0 GB of 2.0 GB, 1.0 GB/s, 1 s left, acme/one\r\u001B[2K');
});
