// Finds sentences that say the same in other words: every pair above a cosine.
//   node examples/deduplicate.mjs [THRESHOLD] < one-text-a-line.txt
import OpenAI from 'openai';

const model = process.env.MODEL ?? 'sentence-transformers/all-MiniLM-L6-v2';
const openai = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://localhost:11445/v1',
  apiKey: process.env.OPENAI_API_KEY ?? 'unused',
});
const threshold = Number(process.argv[2] ?? 0.6);

const sample = [
  'The app crashes when I open the settings.',
  'Opening the settings makes the app crash.',
  'Please add a dark theme.',
  'Can you add a dark mode?',
  'The invoice shows the wrong address.',
  'How do I export my data?',
];
const texts = process.stdin.isTTY ? sample : await readLines();
if (texts.length === 0) texts.push(...sample);

const vectors = [];
const requestSize = 512; // far below the limit of 2048 inputs, and it keeps answers small
for (let start = 0; start < texts.length; start += requestSize) {
  const { data } = await openai.embeddings.create({ model, input: texts.slice(start, start + requestSize) });
  vectors.push(...data.map((item) => item.embedding));
}

// All pairs: fine up to some ten thousand texts, beyond that use a vector index.
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
let pairs = 0;
for (let i = 0; i < texts.length; i++) {
  for (let j = i + 1; j < texts.length; j++) {
    const score = dot(vectors[i], vectors[j]);
    if (score < threshold) continue;
    pairs++;
    console.log(`${score.toFixed(3)}  ${texts[i]}  =  ${texts[j]}`);
  }
}
console.log(`${pairs} pairs among ${texts.length} texts`);

async function readLines() {
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  return text.split('\n').filter((line) => line.trim() !== ''); // an empty input is an error of the API
}
