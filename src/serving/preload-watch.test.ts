import { expect, test } from 'vitest';
import { manualClock } from '../../tests/serving/manual-clock.ts';
import type { ModelCard } from '../models/model-card.ts';
import { watchPreload } from './preload-watch.ts';

function stage(...names: readonly string[]) {
  const clock = manualClock();
  const states = new Map<string, ModelCard['state']>();
  const runners = new Map<string, number>();
  const loads: string[] = [];
  const host = {
    get: (id: string) => {
      const state = states.get(id);
      return state && { id, repository: id, state, created: 0, pooling: 'mean', tokenIds: 'model' };
    },
    load: async (name: string) => {
      loads.push(name);
      throw new Error('it fails');
    },
    readyRunners: (name: string) => runners.get(name),
  };
  const seconds = (count: number) => {
    for (let i = 0; i < count; i++) clock.pass(1000);
  };
  return { states, runners, loads, seconds, watch: watchPreload({ host, names, clock }) };
}

test('every model is loaded once; what keeps the server from being ready is said by name', () => {
  const { states, runners, loads, watch } = stage('a', 'b', 'c', 'd', 'gone');
  expect(loads).toEqual(['a', 'b', 'c', 'd', 'gone']);
  states.set('a', 'downloading').set('b', 'ready').set('c', 'failed').set('d', 'ready');
  runners.set('b', 0).set('d', 1);
  expect(watch.problems()).toEqual({ loading: ['a'], restarting: ['b'], failed: ['c'] });
  states.set('a', 'available').set('c', 'available'); // unloaded because nobody used it: the next request loads it
  runners.set('b', 2);
  expect(watch.problems()).toEqual({ loading: [], restarting: [], failed: [] });
});

test('a model that failed is loaded again, at growing distances', () => {
  const { states, loads, seconds } = stage('a');
  states.set('a', 'failed');
  const at: number[] = [];
  for (let second = 1; second <= 1000; second++) {
    const before = loads.length;
    seconds(1);
    if (loads.length > before) at.push(second);
  }
  expect(at.slice(0, 4)).toEqual([12, 32, 72, 152]);
  expect(at.at(-1)! - at.at(-2)!).toBe(300);
});

test('runners that are back in time are left alone, and a success ends the growth', () => {
  const { states, runners, loads, seconds } = stage('a');
  states.set('a', 'ready');
  runners.set('a', 0);
  seconds(8);
  runners.set('a', 1);
  seconds(60);
  expect(loads).toEqual(['a']);
  runners.set('a', 0);
  seconds(13);
  expect(loads).toEqual(['a', 'a']);
});

test('a closed watch loads nothing', () => {
  const { states, loads, seconds, watch } = stage('a');
  states.set('a', 'failed');
  watch.close();
  seconds(1000);
  expect(loads).toEqual(['a']);
});
