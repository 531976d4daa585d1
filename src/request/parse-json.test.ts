import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nestsDeeperThan } from './json-depth.ts';
import { parseJson } from './parse-json.ts';

test('an empty body is no value', () => {
  expect(parseJson(Buffer.alloc(0))).toBeUndefined();
});

test('bytes that are not UTF-8 are refused', () => {
  expect(() => parseJson(Buffer.from('"\xff"', 'latin1'))).toThrow('it is not UTF-8');
});

test('broken JSON is refused', () => {
  expect(() => parseJson(Buffer.from('{"a":'))).toThrow('We could not parse the JSON body of your request: ');
});

test('16 MB of opening brackets are refused before they are parsed', () => {
  expect(() => parseJson(Buffer.alloc(16 << 20, '['))).toThrow('nests deeper than 64 levels');
  expect(() => parseJson(Buffer.from('{"a":'.repeat(1 << 20)))).toThrow('nests deeper than 64 levels');
});

test('brackets inside strings do not count', () => {
  const text = '\\"[['.repeat(100_000);
  expect(parseJson(Buffer.from(JSON.stringify({ input: [text] })))).toEqual({ input: [text] });
});

test('the depth is that of the parsed value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const json = Buffer.from(JSON.stringify(value));
      const depth = depthOf(value);
      expect(nestsDeeperThan(json, depth)).toBe(false);
      if (depth > 0) expect(nestsDeeperThan(json, depth - 1)).toBe(true);
    }),
  );
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
