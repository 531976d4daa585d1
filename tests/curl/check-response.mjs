// Checks one answer of POST /v1/embeddings against its request and against the committed goldens.
//   node check-response.mjs REQUEST.json RESPONSE.json HTTP_STATUS [OTHER_RESPONSE.json]
// With a fourth file, the vectors of both answers must be equal (float against base64, alone against batch).
import { readFileSync } from 'node:fs';

const [requestFile, responseFile, status, otherFile] = process.argv.slice(2);
const problems = [];
const request = JSON.parse(readFileSync(requestFile, 'utf8'));
const text = readFileSync(responseFile, 'utf8');
try {
  check(status === '200', `expected status 200, got ${status}: ${text.slice(0, 500)}`);
  if (status === '200') checkResponse(request, JSON.parse(text));
} catch (error) {
  problems.push(`${error.message}; the answer begins ${text.slice(0, 200)}`);
}
for (const problem of problems) console.error(`  WRONG: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

function checkResponse({ model, input, encoding_format: format = 'float', dimensions }, response) {
  const inputs = Array.isArray(input) ? input : [input];
  check(response.object === 'list', `object is ${JSON.stringify(response.object)}, expected "list"`);
  check(response.model === model, `model is ${JSON.stringify(response.model)}, expected ${JSON.stringify(model)}`);
  check(response.data.length === inputs.length, `${response.data.length} vectors for ${inputs.length} inputs`);
  for (const [position, item] of response.data.entries()) {
    check(item.object === 'embedding', `data[${position}].object is ${JSON.stringify(item.object)}`);
    check(item.index === position, `data[${position}].index is ${item.index}`);
    const isText = typeof item.embedding === 'string';
    check(
      isText === (format === 'base64'),
      `data[${position}].embedding is a ${typeof item.embedding}, asked for ${format}`,
    );
  }
  const vectors = toVectors(response);
  checkVectors({ inputs, vectors, dimensions });
  checkUsage(response.usage);
  if (otherFile) checkEqual(vectors, toVectors(JSON.parse(readFileSync(otherFile, 'utf8'))));
  checkGoldens({ model, inputs, vectors, usage: response.usage });
}

function checkVectors({ inputs, vectors, dimensions }) {
  const dim = dimensions ?? vectors[0]?.length;
  for (const [position, vector] of vectors.entries()) {
    check(vector.length === dim && dim > 0, `vector ${position} has ${vector.length} numbers, expected ${dim}`);
    check(vector.every(Number.isFinite), `vector ${position} holds something that is not a number`);
    const length = Math.hypot(...vector);
    if (dimensions === undefined)
      check(Math.abs(length - 1) < 1e-5, `vector ${position} has length ${length}, expected 1`);
  }
  for (let a = 0; a < inputs.length; a++) {
    for (let b = 0; b < a; b++) {
      const difference = maxAbs(vectors[a], vectors[b]);
      if (inputs[a] === inputs[b]) check(difference <= 1e-6, `equal texts ${b} and ${a} differ by ${difference}`);
      else check(difference > 1e-4, `different texts ${b} and ${a} have the same vector`);
    }
  }
}

function checkUsage({ prompt_tokens: prompt, total_tokens: total }) {
  check(Number.isInteger(prompt) && prompt > 0, `usage.prompt_tokens is ${prompt}`);
  check(prompt === total, `usage.total_tokens is ${total}, prompt_tokens is ${prompt}`);
}

function checkEqual(vectors, others) {
  for (const [position, other] of others.entries()) {
    const difference = maxAbs(vectors[position], other);
    check(difference <= 1e-6, `vector ${position} differs by ${difference} from the one asked for in another way`);
  }
}

/** Only texts of the goldens can be checked this way; of other models only what every answer must have. */
function checkGoldens({ model, inputs, vectors, usage }) {
  if (model !== 'sentence-transformers/all-MiniLM-L6-v2') return;
  const goldens = readGoldens();
  let tokens = 0;
  for (const [position, input] of inputs.entries()) {
    const golden = goldens.get(input);
    if (golden === undefined) throw new Error(`no golden for ${JSON.stringify(input)}: add it to scripts/make-goldens`);
    tokens += golden.tokens;
    const expected = golden.vectors.map((vector) => vector.slice(0, vectors[position].length));
    const difference = Math.min(...expected.map((vector) => maxAbs(vectors[position], vector)));
    check(
      difference <= 2e-5,
      `vector ${position} is ${difference} away from the reference; it begins ${vectors[position].slice(0, 3)}, expected ${expected[0].slice(0, 3)}`,
    );
  }
  check(usage.prompt_tokens === tokens, `usage.prompt_tokens is ${usage.prompt_tokens}, expected ${tokens}`);
}

/** Text -> token count and the right vectors: one of the bundled weights, one of the official ones, which win when present. */
function readGoldens() {
  const file = JSON.parse(readFileSync(new URL('../goldens/all-MiniLM-L6-v2.json', import.meta.url), 'utf8'));
  const sets = [file.vectors.f16.mean, file.vectors.f32.mean].map(toFloats);
  return new Map(
    file.cases.map(({ text, ids }, row) => {
      const vectors = sets.map((set) => set.slice(row * file.dim, (row + 1) * file.dim));
      return [text, { tokens: ids.length, vectors }];
    }),
  );
}

function toVectors({ data }) {
  return data.map(({ embedding }) => (typeof embedding === 'string' ? toFloats(embedding) : embedding));
}

function toFloats(base64) {
  const bytes = Buffer.from(base64, 'base64');
  check(bytes.length % 4 === 0 && bytes.toString('base64') === base64, 'the base64 text is not exact');
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => bytes.readFloatLE(i * 4));
}

/** Infinite where the vectors cannot be compared. */
function maxAbs(a, b) {
  if (a?.length !== b?.length || a.length === 0) return Infinity;
  return Math.max(...a.map((value, i) => (Number.isFinite(value - b[i]) ? Math.abs(value - b[i]) : Infinity)));
}

function check(isRight, problem) {
  if (!isRight) problems.push(problem);
}
