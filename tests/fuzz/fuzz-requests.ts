import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { oddRequests, type OddRequest } from './odd-requests.ts';
import { parseAnswers, rawRequests, type RawAnswer, type RawRequest } from './raw-requests.ts';
import { startServed, type ServedProcess } from './served-process.ts';

const usage = `Sends requests with something wrong to the built server on the bundled model, and reports what must not happen:
a server that ends, an answer of 500 or more but 503, an error without OpenAI's four keys, an error in the log, memory
that grows by 150 MB.

  --count N      requests (10000); one of eight is not HTTP
  --seed N       the same number gives the same requests (1)
  --clients N    connections at once (16)
`;

const root = fileURLToPath(new URL('../../../../', import.meta.url)); // from .bench/fuzz/tests/fuzz
const model = 'sentence-transformers/all-MiniLM-L6-v2';
const maxGrowthBytes = 150e6;
const rawShare = 8;
const batch = 2000; // requests that are made at a time
const maxWaitMs = 20_000;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '16' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(usage);
else process.exitCode = await main();

async function main(): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'embeddings-requests-'));
  writeFileSync(join(home, 'models.txt'), `${model}\n`);
  const flags = ['--supported-models', join(home, 'models.txt'), '--max-input-characters', '20000'];
  const server = await startServed(join(root, 'dist/cli.js'), flags, home);
  try {
    return await fuzz(server);
  } finally {
    await server.stop();
    rmSync(home, { recursive: true });
  }
}

async function fuzz(server: ServedProcess): Promise<number> {
  const count = Number(values.count);
  const clients = Number(values.clients);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const statuses = new Map<string, number>();
  const findings: string[] = [];
  const note = (what: string): void => void statuses.set(what, (statuses.get(what) ?? 0) + 1);
  const judge = ({ status, body }: RawAnswer, sent: unknown): void => {
    note(String(status));
    const problem = findProblem(status, body);
    if (problem !== undefined && findings.length < 50) findings.push(`${problem}\n  sent ${show(sent)}`);
  };
  const send = async (sent: OddRequest | RawRequest): Promise<void> => {
    if ('path' in sent) {
      const answer = await sendOdd(server.url, sent, agent);
      if (answer === undefined) note('no answer');
      else judge(answer, { ...sent, body: sent.body.toString('latin1') });
      return;
    }
    const answers = parseAnswers(await sendRaw(server.url, sent));
    if (answers.length === 0) note('closed');
    for (const answer of answers)
      judge(
        answer,
        sent.map((piece) => piece.toString('latin1')),
      );
  };

  await checkWorks(server.url, findings);
  let baseBytes = 0;
  const started = performance.now();
  for (let done = 0; done < count; done += batch) {
    const seed = Number(values.seed) * 1_000_003 + done;
    const size = Math.min(batch, count - done);
    const raw = fc.sample(rawRequests, { numRuns: Math.ceil(size / rawShare), seed });
    const odd = fc.sample(oddRequests(model), { numRuns: size - raw.length, seed });
    const all = [...odd, ...raw]
      .map((sent, index) => ({ sent, order: (index * 7919) % size }))
      .toSorted((a, b) => a.order - b.order);
    let next = 0;
    const client = async (): Promise<void> => {
      for (let index = next++; index < all.length; index = next++) await send(all[index]!.sent); // below the length
    };
    await Promise.all(Array.from({ length: clients }, client));
    if (!server.isAlive()) {
      findings.push(`the server ended within requests ${done} to ${done + size}`);
      break;
    }
    if (done <= count / 5) baseBytes = server.residentBytes(); // the first requests fill caches and heaps
  }
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  let grownBytes = 0;
  if (server.isAlive()) {
    await checkWorks(server.url, findings);
    grownBytes = server.residentBytes() - baseBytes;
    if (grownBytes > maxGrowthBytes) findings.push(`memory grew by ${Math.round(grownBytes / 1e6)} MB`);
  }
  for (const line of server.errors.slice(0, 10)) findings.push(`logged ${line.slice(0, 1000)}`);
  const counts = [...statuses]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, times]) => `  ${times} ${status}\n`);
  process.stdout.write(
    `${findings.map((finding) => `${finding}\n`).join('')}${count} requests of seed ${values.seed} in ${seconds.toFixed(0)} s, ${Math.round(count / seconds)}/s; memory ${Math.round(grownBytes / 1e6)} MB over ${Math.round(baseBytes / 1e6)}\n${counts.join('')}${findings.length} findings\n`,
  );
  return findings.length === 0 ? 0 : 1;
}

/** Why an answer is not what a client may get. */
function findProblem(status: number, body: string): string | undefined {
  if (status >= 500 && status !== 503) return `status ${status}: ${body.slice(0, 300)}`;
  if (status < 400 || body === '') return undefined; // an answer to HEAD, or one without a length
  try {
    const { error } = JSON.parse(body) as { error: Record<string, unknown> };
    if (Object.keys(error).join() === 'message,type,param,code' && typeof error['message'] === 'string')
      return undefined;
  } catch {
    // said below
  }
  return `status ${status} without the four keys of an error: ${body.slice(0, 300)}`;
}

function sendOdd(url: URL, sent: OddRequest, agent: Agent): Promise<RawAnswer | undefined> {
  return new Promise((resolve) => {
    const { method, path, headers, body, isChunked, isCut } = sent;
    const length = isChunked ? {} : { 'content-length': String(body.length) };
    const out = request({
      host: url.hostname,
      port: url.port,
      method,
      path,
      headers: { ...headers, ...length },
      agent,
      timeout: maxWaitMs,
    });
    out.on('response', (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', () => resolve(undefined));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
    });
    out.on('timeout', () => {
      out.destroy();
      resolve({ status: 599, body: `no answer within ${maxWaitMs / 1000} s` });
    });
    out.on('error', () => resolve(undefined)); // the server may close on what it refuses
    if (!isCut) out.end(body);
    else out.write(body.subarray(0, body.length / 2), () => setTimeout(() => out.destroy(), 2));
  });
}

/** What comes back on a connection that takes these bytes and is then closed for writing. */
function sendRaw(url: URL, pieces: RawRequest): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect({ host: url.hostname, port: Number(url.port) });
    const timer = setTimeout(() => socket.destroy(), maxWaitMs);
    socket.on('data', (part) => parts.push(part));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(parts));
    });
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}

async function checkWorks(url: URL, findings: string[]): Promise<void> {
  const response = await fetch(new URL('/v1/embeddings', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, input: 'Hello' }),
  });
  const { data } = (await response.json()) as { data?: readonly { embedding: readonly number[] }[] };
  if (data?.[0]?.embedding.length !== 384) findings.push(`a plain request is answered with ${response.status}`);
}

function show(value: unknown): string {
  return JSON.stringify(value).slice(0, 600);
}
