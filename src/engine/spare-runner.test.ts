import { expect, test } from 'vitest';
import type { RunnerChannel, RunnerEvents } from './runner-channel.ts';
import { startSpareRunner } from './spare-runner.ts';

/** Processes played by the test. */
function stage() {
  const processes: { readonly events: RunnerEvents; readonly channel: RunnerChannel; isKilled: boolean }[] = [];
  const fork = (events: RunnerEvents) => {
    const process = {
      events,
      isKilled: false,
      channel: { pid: processes.length, send: () => {}, kill: () => void (process.isKilled = true) },
    };
    processes.push(process);
    return process.channel;
  };
  const heard: string[] = [];
  const listener = (name: string): RunnerEvents => ({
    message: ({ kind }) => heard.push(`${name} ${kind}`),
    exit: (reason) => heard.push(`${name} ${reason}`),
  });
  return { processes, fork, heard, listener };
}

test('the first to ask gets the process that is there, and hears it', () => {
  const { processes, fork, heard, listener } = stage();
  const spare = startSpareRunner(fork);
  expect(processes).toHaveLength(1);
  expect(spare.open(listener('a')).pid).toBe(0);
  expect(spare.open(listener('b')).pid).toBe(1);
  processes[0]?.events.message({ kind: 'loaded' });
  processes[1]?.events.exit('gone');
  expect(heard).toEqual(['a loaded', 'b gone']);
  spare.close();
  expect(processes.map(({ isKilled }) => isKilled)).toEqual([false, false]);
});

test('one that is gone before anyone asks is not given away, and one that nobody took is ended', () => {
  const { processes, fork, listener } = stage();
  const early = startSpareRunner(fork);
  processes[0]?.events.exit('signal SIGKILL');
  expect(early.open(listener('a')).pid).toBe(1);
  startSpareRunner(fork).close();
  expect(processes[2]?.isKilled).toBe(true);
});
