import { Writable } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
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

test('while another process downloads no speed is told, and its bytes are not ours', () => {
  const { progress, at, text } = show({ isTTY: false });
  progress.set({ doneBytes: 0, totalBytes: 100e6 });
  at(1000);
  progress.set({ doneBytes: 1000, totalBytes: 100e6 });
  at(6000);
  progress.set({ doneBytes: 1000, totalBytes: 100e6, isWaiting: true });
  at(20_000);
  progress.set({ doneBytes: 80e6, totalBytes: 100e6 });
  at(30_000);
  progress.set({ doneBytes: 90e6, totalBytes: 100e6 });
  expect(text().split('\n')).toEqual([
    'acme/one: 0%, 1.0 kB of 100.0 MB, another process is downloading',
    'acme/one: 80%, 80.0 MB of 100.0 MB, 0.0 kB/s',
    'acme/one: 90%, 90.0 MB of 100.0 MB, 1.0 MB/s, 10 s left',
    '',
  ]);
});

test('a terminal gets a bar in its line after a second, which goes at the end', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { progress, at, text } = show({ isTTY: true });
  progress.set({ doneBytes: 0, totalBytes: 2e9 });
  at(1000);
  progress.add(1e9);
  expect(text()).toBe('');
  await vi.advanceTimersByTimeAsync(1000);
  await vi.dynamicImportSettled();
  expect(text()).toContain('[======      ] 50%, 1.0 GB of 2.0 GB, 1.0 GB/s, 1 s left, acme/one');
  at(2000);
  progress.add(0.5e9);
  await vi.advanceTimersByTimeAsync(1000);
  expect(text()).toContain('[=========   ] 75%, 1.5 GB of 2.0 GB, 750.0 MB/s, 1 s left, acme/one');
  progress.stop();
  expect(text().endsWith('\u001B[1G\u001B[2K')).toBe(true);
});

test('work of less than a second shows nothing', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { progress, text } = show({ isTTY: true });
  progress.set({ doneBytes: 1, totalBytes: 2 });
  await vi.advanceTimersByTimeAsync(900);
  progress.stop();
  await vi.advanceTimersByTimeAsync(900);
  expect(text()).toBe('');
});
