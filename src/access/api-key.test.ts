import { expect, test } from 'vitest';
import { createApiKey, hashApiKey } from './api-key.ts';

test('a key is 256 random bits behind a prefix, and no two are equal', () => {
  expect(createApiKey()).toMatch(/^sk-emb-[\w-]{43}$/);
  expect(createApiKey()).not.toBe(createApiKey());
  expect(createApiKey((bytes) => Buffer.alloc(bytes, 0xff))).toBe(`sk-emb-${'_'.repeat(42)}8`);
});

test('the hash is what sha256sum prints', () => {
  expect(hashApiKey('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
