import { Writable } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Progress } from './progress.ts';

function show(total: number | undefined) {
  let text = '';
  const stderr = new Writable({ write: (chunk, _, done) => ((text += String(chunk)), done()) });
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  return { progress: new Progress({ stderr: Object.assign(stderr, { isTTY: true }), total }), text: () => text };
}

async function wait(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  await vi.dynamicImportSettled();
}

test('a file has a bar and the time that is left since the model was loaded', async () => {
  const { progress, text } = show(1000);
  progress.note('loading acme/one');
  await wait(1500);
  expect(text()).toContain('[            ] 0%, 0 texts, loading acme/one');
  progress.note('loaded');
  await wait(1000);
  progress.advance({ done: 250, texts: 10 });
  await wait(500);
  expect(text()).toContain('[===         ] 25%, 10 texts, 3 s left');
  progress.stop();
});

test('of a pipe only the texts are known', async () => {
  const { progress, text } = show(undefined);
  progress.advance({ done: 250, texts: 10 });
  await wait(1500);
  progress.stop();
  expect(text()).toContain('10 texts');
  expect(text()).not.toContain('[ ');
});
