import { createServer } from 'node:http';
import { basename, dirname } from 'node:path';
import { json } from 'node:stream/consumers';
import { env, pipeline } from '@huggingface/transformers';

// The smallest server around transformers.js; it is copied beside that library to run.
//   node server.mjs MODEL_DIR fp32|q8 THREADS PORT
// Texts are sorted by length and cut into small batches, as sentence-transformers does by itself: the library pads
// all texts of a call to the longest.

const batchSize = 8; // the fastest of 1 to 32
const [folder = '', dtype = 'fp32', threads = '1', port = '0'] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = `${dirname(folder)}/`;
const extract = await pipeline('feature-extraction', basename(folder), {
  dtype,
  subfolder: '',
  session_options: { intraOpNumThreads: Number(threads), interOpNumThreads: 1 },
});

/** One at a time: each call uses all threads. */
let last = Promise.resolve();
function embed(texts) {
  const result = last.then(() => embedSorted(texts));
  last = result.catch(() => {});
  return result;
}

async function embedSorted(texts) {
  const order = texts.map((_, index) => index).sort((a, b) => texts[a].length - texts[b].length);
  const data = [];
  for (let start = 0; start < order.length; start += batchSize) {
    const batch = order.slice(start, start + batchSize);
    const { data: vectors, dims } = await extract(
      batch.map((index) => texts[index]),
      { pooling: 'mean', normalize: true },
    );
    batch.forEach((index, row) => {
      const vector = vectors.slice(row * dims[1], (row + 1) * dims[1]);
      data[index] = { object: 'embedding', index, embedding: Buffer.from(vector.buffer).toString('base64') };
    });
  }
  return data;
}

createServer((request, response) => {
  json(request)
    .then(async ({ input, model }) => {
      const data = await embed(typeof input === 'string' ? [input] : input);
      const body = JSON.stringify({ object: 'list', data, model });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(body);
    })
    .catch((error) => response.writeHead(500).end(String(error)));
}).listen(Number(port), '127.0.0.1');
