// The engine as a library, without HTTP: the same vectors, no server to run. Build it first: npm run build
//   node examples/library.mjs "a text" "another"
import { createApp, loadConfig } from '../dist/index.js';
import { pino } from 'pino';

const { config } = loadConfig({ env: process.env });
const app = await createApp({ config, logger: pino({ level: 'warn' }) });
try {
  const texts = process.argv.length > 2 ? process.argv.slice(2) : ['A cat sat on the mat.', 'A kitten rests on a rug.'];
  const { vectors, promptTokens } = await app.embed({
    model: process.env.MODEL ?? 'sentence-transformers/all-MiniLM-L6-v2',
    items: texts.map((text) => ({ kind: 'text', text })), // or { kind: 'tokens', ids: Int32Array.of(...) }
  });
  // One buffer for all vectors: row i is data[i * dim] to data[(i + 1) * dim - 1].
  console.log(`${vectors.rows} vectors of ${vectors.dim} numbers, ${promptTokens} tokens`);
  for (const [i, text] of texts.entries()) {
    const start = Array.from(vectors.data.subarray(i * vectors.dim, i * vectors.dim + 4), (value) => value.toFixed(4));
    console.log(`${start.join(' ')} ...  ${text}`);
  }
} finally {
  await app.close(); // ends the runner processes; without it node does not exit
}
