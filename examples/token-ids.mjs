// Token ids instead of text, for callers that have a tokenizer: the ids are used as they are.
// So [CLS] and [SEP], which the tokenizer of this model puts around a text, must be among them.
//   node examples/token-ids.mjs
const base = process.env.OPENAI_BASE_URL ?? 'http://localhost:11445/v1';
const model = process.env.MODEL ?? 'sentence-transformers/all-MiniLM-L6-v2';

const text = 'hello world';
const ids = [101, 7592, 2088, 102]; // [CLS] hello world [SEP] in the vocabulary of all-MiniLM-L6-v2

const [fromText] = await embed(text);
const [fromIds] = await embed(ids);
const [first, second] = await embed([ids, [101, 7592, 102]]); // several token lists in one request

console.log('same as the text:', distance(fromText, fromIds) < 1e-6);
console.log('same in a batch: ', distance(fromIds, first) < 1e-6);
console.log('other ids differ:', distance(first, second) > 0.01);

async function embed(input) {
  const headers = { 'content-type': 'application/json' };
  if (process.env.OPENAI_API_KEY) headers.authorization = `Bearer ${process.env.OPENAI_API_KEY}`;
  const response = await fetch(`${base}/embeddings`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model, input }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error.message);
  return body.data.map((item) => item.embedding);
}

function distance(a, b) {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])));
}
