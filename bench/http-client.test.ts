import { expect, test } from 'vitest';
import { decodeVectors } from './http-client.ts';

const toAnswer = (data: object[]): { status: number; body: Buffer; milliseconds: number } => ({
  status: 200,
  body: Buffer.from(JSON.stringify({ data })),
  milliseconds: 1,
});

test('base64 and lists of numbers give the same vectors', () => {
  const base64 = Buffer.from(Float32Array.of(0.5, -2).buffer).toString('base64');
  const vectors = decodeVectors(
    toAnswer([
      { index: 0, embedding: base64 },
      { index: 1, embedding: [0.5, -2] },
    ]),
  );
  expect([...vectors]).toEqual([0.5, -2, 0.5, -2]);
});

test('vectors out of order are an error', () => {
  expect(() => decodeVectors(toAnswer([{ index: 1, embedding: [1] }]))).toThrow('Expected index 0, got 1');
});
