import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { parseEmbedRequest } from './parse-embed-request.ts';

const limits = { maxBatchSize: 4, maxInputCharacters: 10, strictParameters: false };
const parse = (fields: object, changed: Partial<typeof limits> = {}) =>
  parseEmbedRequest({ model: 'm', input: 'a', ...fields }, { ...limits, ...changed });
const itemsOf = (input: unknown) => parse({ input }).request.items;

test('a string is one text', () => {
  expect(itemsOf('hi')).toEqual([{ kind: 'text', text: 'hi' }]);
});

test('a list of strings keeps its order', () => {
  expect(itemsOf(['b', ' ', 'a'])).toEqual(['b', ' ', 'a'].map((text) => ({ kind: 'text', text })));
});

test('a list of integers is one item of tokens', () => {
  expect(itemsOf([5, 0, 2147483647])).toEqual([{ kind: 'tokens', ids: Int32Array.of(5, 0, 2147483647) }]);
});

test('a list of lists of integers is one item for each', () => {
  expect(itemsOf([[1], [2, 3]])).toEqual([
    { kind: 'tokens', ids: Int32Array.of(1) },
    { kind: 'tokens', ids: Int32Array.of(2, 3) },
  ]);
});

test('a list of token ids may be longer than the number of inputs allowed', () => {
  expect(itemsOf([1, 2, 3, 4, 5, 6])).toHaveLength(1);
});

test('a lone surrogate stays as JSON.parse gives it', () => {
  expect(itemsOf(JSON.parse('"\\ud800"'))).toEqual([{ kind: 'text', text: '\ud800' }]);
});

test.each([
  [undefined, 'float'],
  [null, 'float'],
  ['float', 'float'],
  ['base64', 'base64'],
])('encoding_format %s means %s', (sent, meant) => {
  expect(parse({ encoding_format: sent }).encodingFormat).toBe(meant);
});

test('dimensions are absent when null or not sent', () => {
  expect(parse({ dimensions: null }).request).not.toHaveProperty('dimensions');
  expect(parse({}).request).not.toHaveProperty('dimensions');
  expect(parse({ dimensions: 3 }).request.dimensions).toBe(3);
});

test('user and unknown fields are ignored, and unknown ones refused when strict', () => {
  expect(parse({ user: 'u', other: 1 }).request.model).toBe('m');
  expect(parse({ user: 'u' }, { strictParameters: true }).request.model).toBe('m');
  expect(refusal({ other: 1 }, { strictParameters: true })).toMatchObject({
    code: 'unknown_parameter',
    param: 'other',
    message: 'Unrecognized request argument supplied: other',
  });
});

test('a field named __proto__ is one more unknown field', () => {
  const body: unknown = JSON.parse('{"model":"m","input":"a","__proto__":{"dimensions":1}}');
  expect(parseEmbedRequest(body, limits).request).not.toHaveProperty('dimensions');
  expect(() => parseEmbedRequest(JSON.parse('{"__proto__":{"model":"m","input":"a"}}'), limits)).toThrow("'model'");
});

const invalid = "'$.input' is invalid. Please check the API reference";
test.each([
  [{ model: undefined }, 'missing_parameter', 'model', "Missing required parameter: 'model'."],
  [{ model: '' }, 'missing_parameter', 'model', ''],
  [{ model: null }, 'invalid_type', 'model', 'expected a string, but got null'],
  [{ model: 'x'.repeat(300) }, null, 'model', 'at most 256'],
  [{ input: undefined }, 'missing_parameter', 'input', ''],
  [{ input: null }, 'invalid_type', 'input', 'got null'],
  [{ input: true }, 'invalid_type', 'input', 'got true'],
  [{ input: {} }, 'invalid_type', 'input', 'got an object'],
  [{ input: '' }, null, 'input', invalid],
  [{ input: [] }, null, 'input', invalid],
  [{ input: ['a', ''] }, null, 'input[1]', invalid],
  [{ input: [[1], []] }, null, 'input[1]', invalid],
  [{ input: ['a', 'b', 'c', 'd', 'e'] }, null, 'input', 'at most 4 inputs in one request, got 5'],
  [{ input: ['a', 1] }, 'invalid_type', 'input[1]', 'expected a string, but got the integer 1'],
  [{ input: ['a', null] }, 'invalid_type', 'input[1]', 'got null'],
  [{ input: ['a', ['b']] }, 'invalid_type', 'input[1]', 'got an array'],
  [{ input: [1, 'a'] }, 'invalid_type', 'input[1]', 'expected an integer token id, but got a string'],
  [{ input: [1, 1.5] }, 'invalid_type', 'input[1]', 'got the number 1.5'],
  [{ input: [1, -1] }, null, 'input[1]', "Invalid value for 'input[1]' = -1."],
  [{ input: [2 ** 31] }, null, 'input[0]', '2147483648'],
  [{ input: [[1], 'a'] }, 'invalid_type', 'input[1]', 'expected an array of token ids'],
  [{ input: [[1], [2, 'a']] }, 'invalid_type', 'input[1]', 'at position 1'],
  [{ input: [[1], [2, -3]] }, null, 'input[1]', 'at position 1'],
  [{ input: [null] }, 'invalid_type', 'input[0]', 'got null'],
  [{ input: [[['a']]] }, 'invalid_type', 'input[0]', 'got an array'],
  [{ input: 'x'.repeat(11) }, 'input_too_large', 'input', 'at most 10 characters in one input, got 11'],
  [{ input: ['a', 'x'.repeat(11)] }, 'input_too_large', 'input[1]', ''],
  [{ input: Array.from({ length: 11 }, () => 1) }, null, 'input', 'at most 10 token ids'],
  [
    { encoding_format: 'md5' },
    null,
    'encoding_format',
    "'encoding_format' = md5. Supported values: ['float', 'base64'].",
  ],
  [{ encoding_format: 1 }, 'invalid_type', 'encoding_format', ''],
  [{ dimensions: 0 }, null, 'dimensions', "Invalid value for 'dimensions' = 0. Must be greater than or equal to 1."],
  [{ dimensions: '8' }, 'invalid_type', 'dimensions', 'expected an integer, but got a string'],
  [{ dimensions: 1.5 }, 'invalid_type', 'dimensions', ''],
  [{ dimensions: true }, 'invalid_type', 'dimensions', ''],
  [{ prompt_name: 7 }, 'invalid_type', 'prompt_name', 'expected a string, but got the integer 7'],
  [{ input_type: '' }, null, 'input_type', 'Expected 1 to 128 characters.'],
  [{ task: 'x'.repeat(129) }, null, 'task', 'Expected 1 to 128 characters.'],
])('%j is refused as %s of %s', (fields, code, param, words) => {
  const error = refusal(fields);
  expect(error).toMatchObject({ type: 'invalid_request_error', code, param });
  expect(error.message).toContain(words);
});

test.each([undefined, null, 'text', 5, [], [1]])('the body %j is refused', (body) => {
  expect(() => parseEmbedRequest(body, limits)).toThrow('We could not parse the JSON body of your request');
});

test('any JSON value gives a request or a ServiceError of status 400', () => {
  const maybe = (value: fc.Arbitrary<unknown>) => fc.option(value, { nil: undefined });
  const body = fc.record({ model: maybe(fc.jsonValue()), input: fc.jsonValue(), dimensions: maybe(fc.jsonValue()) });
  fc.assert(
    fc.property(fc.oneof(body, fc.jsonValue()), (value) => {
      try {
        expect(parseEmbedRequest(value, limits).request.items.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError);
        expect((error as ServiceError).status).toBe(400);
        expect((error as ServiceError).message.length).toBeLessThan(500);
      }
    }),
    { numRuns: 3000 },
  );
});

function refusal(fields: object, changed?: Partial<typeof limits>) {
  try {
    parse(fields, changed);
  } catch (error) {
    if (error instanceof ServiceError) return error.toOpenAI();
    throw error;
  }
  return expect.fail('was not refused');
}

test('names of a prompt, an input type and a task are taken; null is none', () => {
  const body = { model: 'm', input: 'a', prompt_name: 'query', input_type: 'search_query', task: 'retrieval.query' };
  expect(parseEmbedRequest(body, { ...limits, strictParameters: true }).request).toMatchObject({
    promptName: 'query',
    inputType: 'search_query',
    task: 'retrieval.query',
  });
  const none = parseEmbedRequest({ model: 'm', input: 'a', prompt_name: null, input_type: null, task: null }, limits);
  expect(Object.keys(none.request)).toEqual(['model', 'items']);
});
