// Semantic search with the official OpenAI client: index sentences, find the nearest to a question.
//   node examples/search.mjs "How do I get my money back?"
import OpenAI from 'openai';

const model = process.env.MODEL ?? 'sentence-transformers/all-MiniLM-L6-v2';
const openai = new OpenAI({
  baseURL: process.env.OPENAI_BASE_URL ?? 'http://localhost:11445/v1',
  apiKey: process.env.OPENAI_API_KEY ?? 'unused', // the client wants one; the server only if it has keys set
});

const sentences = [
  'Refunds are paid to the card you used within five working days.',
  'You can change your delivery address until the parcel has left us.',
  'Our shop opens at nine in the morning and closes at six.',
  'The battery lasts about ten hours of normal use.',
  'Hold the power button for ten seconds to restart the device.',
  'Students get fifteen percent off with a valid card.',
  'We deliver to every country in the European Union.',
  'The warranty covers faults in material for two years.',
  'A lost password can be set again from the sign-in page.',
  'Invoices are sent by e-mail at the start of each month.',
  'The jacket can be washed at thirty degrees.',
  'Parking in the yard is free for customers.',
  'Our coffee is roasted in small batches every Tuesday.',
  'The museum is closed on Mondays.',
  'Children under six travel free of charge.',
  'The last train to the coast leaves at half past ten.',
  'The recipe needs two eggs and a cup of flour.',
  'Whales sleep with one half of the brain at a time.',
  'The bridge was built in 1894 and repaired after the war.',
  'Heavy rain is expected in the north tonight.',
];
const question = process.argv[2] ?? 'How do I get my money back?';

// One request for everything: the server makes good batches of it. The client asks for base64 by itself.
const { data, usage } = await openai.embeddings.create({ model, input: [question, ...sentences] });
const [query, ...vectors] = data.map((item) => item.embedding);

// The vectors have length 1, so the dot product is the cosine.
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const ranked = vectors.map((vector, i) => ({ score: dot(query, vector), sentence: sentences[i] }));
ranked.sort((a, b) => b.score - a.score);

console.log(`${question} (${usage.total_tokens} tokens)`);
for (const { score, sentence } of ranked.slice(0, 3)) console.log(`${score.toFixed(3)}  ${sentence}`);
