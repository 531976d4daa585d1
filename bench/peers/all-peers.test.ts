import { expect, test } from 'vitest';
import { selectPeers } from './all-peers.ts';

const peers = [{ name: 'ours float32' }, { name: 'ours int8' }, { name: 'infinity torch' }, { name: 'llama.cpp F16' }];

test('a list names peers or their beginnings, in the fixed order', () => {
  expect(selectPeers(peers, 'llama, ours').map(({ name }) => name)).toEqual([
    'ours float32',
    'ours int8',
    'llama.cpp F16',
  ]);
  expect(selectPeers(peers, 'all')).toEqual(peers);
});

test('an unknown name is told with those that there are', () => {
  expect(() => selectPeers(peers, 'ours,tei')).toThrow('Expected peers of ours float32, ours int8');
});
