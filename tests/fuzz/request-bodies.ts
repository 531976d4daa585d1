import fc from 'fast-check';

const wrong = fc.jsonValue({ maxDepth: 3 });
const wrongInput = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    5,
    {},
    '',
    [],
    [''],
    [[]],
    [null],
    [1.5],
    [-1],
    ['a', 1],
    [1, 'a'],
    [[1], ['a']],
  ),
  fc.array(fc.oneof(fc.string(), fc.integer(), fc.double(), wrong)).map((list) => [...list, null]),
  fc.array(fc.integer(), { minLength: 1 }).map((ids) => [...ids, -1]),
  fc.array(fc.array(fc.nat()), { minLength: 9 }),
  fc.string({ minLength: 51 }),
);

/**
 * Bodies that are wrong in at least one place, for a server of `model` with at most 8 inputs of 50 characters: the
 * structure, a value, the end cut off, or bytes of any kind.
 */
export function wrongBodies(model: string): fc.Arbitrary<Buffer> {
  const wrongBody = fc.oneof(
    wrong.filter((value) => typeof value !== 'object' || value === null || !('input' in value)),
    fc.record({ input: wrongInput, user: wrong }).map((body) => ({ model, ...body })),
    fc.record({ model: wrong.filter((name) => name !== model), input: fc.string() }),
    fc
      .record({ encoding_format: wrong.filter((v) => v !== null && v !== 'float' && v !== 'base64') })
      .map((body) => ({ model, input: 'a', ...body })),
    fc
      .record({
        dimensions: fc.oneof(fc.integer({ max: 0 }), fc.string(), fc.boolean(), fc.constant(1.5), fc.constant([])),
      })
      .map((body) => ({ model, input: 'a', ...body })),
  );
  const text = wrongBody.map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 6, arbitrary: text.map((json) => Buffer.from(json)) },
    { weight: 2, arbitrary: fc.tuple(text, fc.nat()).map(([json, cut]) => Buffer.from(cutEnd(json, cut))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }).map((noise) => Buffer.from(noise)) },
  );
}

/** An object that is never closed. */
function cutEnd(json: string, at: number): string {
  return `{"model":${json.slice(0, at % json.length)}`;
}

const oddText = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    '\udc00a',
    '\ufeff',
    '\u202e',
    'e\u0301'.repeat(9),
    'a'.repeat(3000),
    '\r\n',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
);
const oddNumber = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, 1.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -1e-320, 100, 30_521, 30_522),
  fc.integer(),
  fc.double({ noNaN: true }),
);
const oddInput = fc.oneof(
  oddText,
  fc.array(oddText, { maxLength: 6 }),
  fc.array(oddNumber, { maxLength: 12 }),
  fc.array(fc.nat({ max: 30_521 }), { maxLength: 20 }),
  fc.array(fc.array(oddNumber, { maxLength: 6 }), { maxLength: 4 }),
  fc.array(fc.oneof(oddText, oddNumber, wrong), { maxLength: 5 }),
  wrong,
);
const oddField = fc.oneof(wrong, oddText, oddNumber);

/** Bodies near what is right, of which many are right. Some fields come twice. */
export function oddBodies(model: string): fc.Arbitrary<Buffer> {
  const fields = fc.record(
    {
      model: fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>(model) }, { weight: 1, arbitrary: oddField }),
      input: oddInput,
      encoding_format: fc.oneof(fc.constantFrom<unknown>('float', 'base64'), oddField),
      dimensions: fc.oneof(fc.nat({ max: 400 }), oddField),
      user: oddField,
      input_type: fc.oneof(fc.constantFrom<unknown>('query', 'document'), oddField),
      prompt_name: oddField,
      task: oddField,
      ['__proto__x']: oddField,
      constructor: oddField,
    },
    { requiredKeys: ['model', 'input'] },
  );
  const near = fc
    .record({
      input: fc.oneof(
        oddText,
        fc.array(oddText, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat({ max: 30_521 }), { minLength: 1 }),
      ),
      odd: fc.option(
        fc.tuple(fc.constantFrom('encoding_format', 'dimensions', 'user', 'input_type', 'task', 'x'), oddField),
      ),
    })
    .map(({ input, odd }) => JSON.stringify({ model, input, ...(odd === null ? {} : { [odd[0]]: odd[1] }) }));
  const nested = fc.nat({ max: 100_000 }).map((depth) => `{"model":"${model}","input":${'['.repeat(depth)}`);
  const written = fields.map((body) => JSON.stringify(body));
  return fc
    .oneof(
      { weight: 6, arbitrary: near },
      { weight: 6, arbitrary: written },
      { weight: 1, arbitrary: fc.tuple(written, written).map(([a, b]) => `${a.slice(0, -1)},${b.slice(1)}`) },
      { weight: 1, arbitrary: written.map((json) => `\ufeff ${json.replaceAll('"', '\\u0022')}`) },
      { weight: 1, arbitrary: written.map((json) => json.replace('"input":', '"__proto__":{"polluted":1},"input":')) },
      { weight: 1, arbitrary: nested },
    )
    .map((text) => Buffer.from(text));
}
