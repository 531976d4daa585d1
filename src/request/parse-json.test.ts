import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonExcess } from './json-size.ts';
import { parseJson } from './parse-json.ts';

const parse = (bytes: Buffer) => parseJson(bytes, { maxInputs: 2048 });

test('an empty body is no value', () => {
  expect(parse(Buffer.alloc(0))).toBeUndefined();
});

test('bytes that are not UTF-8 are refused', () => {
  expect(() => parse(Buffer.from('"\xff"', 'latin1'))).toThrow('it is not UTF-8');
});

test('broken JSON is refused', () => {
  expect(() => parse(Buffer.from('{"a":'))).toThrow('We could not parse the JSON body of your request: ');
});

test('16 MB of opening brackets are refused before they are parsed', () => {
  expect(() => parse(Buffer.alloc(16 << 20, '['))).toThrow('nests deeper than 64 levels');
  expect(() => parse(Buffer.from('{"a":'.repeat(1 << 20)))).toThrow('nests deeper than 64 levels');
});

test('millions of objects, arrays or keys are refused before they are parsed', () => {
  for (const many of ['{},', '[],', '"k":1,']) {
    expect(() => parse(Buffer.from(`[${many.repeat(1 << 20)}`))).toThrow('more than 102048 arrays, objects and keys');
  }
  const inputs = Array.from({ length: 50_000 }, () => [1, 2]); // too many for one request, which is for others to say
  expect(parse(Buffer.from(JSON.stringify({ input: inputs })))).toEqual({ input: inputs });
});

test('brackets inside strings do not count', () => {
  const text = '\\"[[:'.repeat(100_000);
  expect(parse(Buffer.from(JSON.stringify({ input: [text] })))).toEqual({ input: [text] });
});

test('depth and parts are those of the parsed value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const json = Buffer.from(JSON.stringify(value));
      const size = { maxDepth: depthOf(value), maxParts: partsOf(value) };
      expect(findJsonExcess(json, size)).toBeUndefined();
      if (size.maxDepth === 0) return;
      expect(findJsonExcess(json, { ...size, maxDepth: size.maxDepth - 1 })).toContain('deeper');
      expect(findJsonExcess(json, { ...size, maxParts: size.maxParts - 1 })).toContain('holds more');
    }),
  );
});

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function partsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const keys = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((sum: number, inner) => sum + partsOf(inner), 1 + keys);
}
