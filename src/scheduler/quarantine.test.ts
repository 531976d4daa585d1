import { expect, test } from 'vitest';
import { Quarantine } from './quarantine.ts';

function quarantineOf(options: { readonly maxInputs?: number } = {}) {
  const clock = { nowMs: 0 };
  return { clock, quarantine: new Quarantine({ nowMs: () => clock.nowMs, ttlMs: 60_000, ...options }) };
}

test('an input is refused for its time, for its model, and not longer', () => {
  const { clock, quarantine } = quarantineOf();
  expect(quarantine.secondsLeft('m', () => 'a')).toBeUndefined();
  quarantine.add('m', 'a');
  expect(quarantine.secondsLeft('m', () => 'a')).toBe(60);
  expect(quarantine.secondsLeft('other', () => 'a')).toBeUndefined();
  expect(quarantine.secondsLeft('m', () => 'b')).toBeUndefined();
  clock.nowMs = 59_001;
  expect(quarantine.secondsLeft('m', () => 'a')).toBe(1);
  clock.nowMs = 60_000;
  expect(quarantine.secondsLeft('m', () => 'a')).toBeUndefined();
});

test('asking for it makes its time no longer; stopping a process again does', () => {
  const { clock, quarantine } = quarantineOf();
  quarantine.add('m', 'a');
  clock.nowMs = 50_000;
  expect(quarantine.secondsLeft('m', () => 'a')).toBe(10);
  expect(quarantine.secondsLeft('m', () => 'a')).toBe(10);
  quarantine.add('m', 'a');
  expect(quarantine.secondsLeft('m', () => 'a')).toBe(60);
});

test('the one asked for longest ago makes room for another', () => {
  const { quarantine } = quarantineOf({ maxInputs: 2 });
  quarantine.add('m', 'a');
  quarantine.add('m', 'b');
  quarantine.secondsLeft('m', () => 'a');
  quarantine.add('m', 'c');
  expect(['a', 'b', 'c'].map((key) => quarantine.secondsLeft('m', () => key))).toEqual([60, undefined, 60]);
});

test('model and tokens are told apart, whatever characters they have', () => {
  const { quarantine } = quarantineOf();
  quarantine.add('m', 'ab');
  expect(quarantine.secondsLeft('ma', () => 'b')).toBeUndefined();
  expect(quarantine.secondsLeft('m', () => 'ab')).toBe(60);
});
