import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { toMessage } from '../message.ts';
import { pickIndex } from './random.ts';
import { farthest, vectorsOf, type Reference } from './references.ts';
import type { Tally } from './tally.ts';
import { post, type Reply, type Target } from './target.ts';

export interface ClientOptions {
  readonly target: Target;
  readonly references: readonly Reference[];
  readonly tally: Tally;
  readonly random: () => number;
  /** Whether the clients are to go on. */
  readonly isOn: () => boolean;
  /** Whether connections may be refused or cut now. */
  readonly mayBreak: () => boolean;
}

const maxDifference = 1e-6;
const deadlineMs = 120_000; // a runner that hangs is seen after 30 s, twice at worst
const longestRetries = 4; // a fault may meet the first retry, hardly all of them

/** Everything that asks at the same time; resolves when the last has its answer. */
export async function runClients(options: ClientOptions): Promise<void> {
  const { random } = options;
  const texts = (count: number) => pickMany(options, ({ input }) => typeof input === 'string', count);
  const kinds: readonly ((client: ClientOptions) => Promise<void>)[] = [
    ...Array.from({ length: 4 }, () => repeat(10, () => embed(options, 'short', texts(1)))),
    repeat(100, () => embed(options, 'bulk', texts(64 + pickIndex(random, 449)))),
    repeat(50, () =>
      embed(
        options,
        'tokens',
        pickMany(options, ({ input }) => typeof input !== 'string', 4),
      ),
    ),
    repeat(50, () => embed(options, 'mixed sizes', texts(1 + pickIndex(random, 24)))),
    repeat(200, () => bad(options)),
    repeat(100, () => cancel(options, texts(32))),
    repeat(500, () => slow(options, texts(16))),
    repeat(500, () => probe(options)),
  ];
  await Promise.all(kinds.map((client) => client(options)));
}

function repeat(pauseMs: number, ask: () => Promise<void>): (options: ClientOptions) => Promise<void> {
  return async ({ isOn, random }) => {
    while (isOn()) {
      await ask();
      await sleep(pauseMs * random() * 2);
    }
  };
}

function pickMany({ references, random }: ClientOptions, fits: (reference: Reference) => boolean, count: number) {
  const all = references.filter(fits);
  return Array.from({ length: count }, () => all[pickIndex(random, all.length)]!);
}

/** Asks until it has the right vectors: whoever is told when to come back comes back then. */
export async function embed(options: ClientOptions, kind: string, wanted: readonly Reference[]): Promise<void> {
  const { tally, target, random } = options;
  const isBase64 = random() < 0.5;
  const body = toBody(target, wanted, isBase64 ? 'base64' : 'float');
  for (let attempt = 0; attempt < longestRetries; attempt++) {
    const start = performance.now();
    const reply = await inTime(options, kind, (signal) => post(target, body, signal));
    if (reply === undefined) return;
    if (attempt > 0) tally.retries++;
    if (reply.status === 200) {
      if (attempt > 0) tally.retriesThatHelped++;
      else if (kind === 'short') tally.took(performance.now() - start);
      check(options, kind, { reply, wanted });
      return;
    }
    if (!isRefusal(options, kind, reply)) return;
    await sleep((reply.retryAfterSeconds ?? 1) * 1000);
  }
  tally.problem(`${kind}: refused ${longestRetries} times, though each time the wait that was asked for was over`);
}

function toBody({ model }: Target, wanted: readonly Reference[], format: string): string {
  return JSON.stringify({ model, input: wanted.map(({ input }) => input), encoding_format: format });
}

/** The reply, or undefined where none came; that is a problem unless connections may break now. */
async function inTime(
  { tally, mayBreak }: ClientOptions,
  kind: string,
  ask: (signal: AbortSignal) => Promise<Reply>,
): Promise<Reply | undefined> {
  const signal = AbortSignal.timeout(deadlineMs);
  const couldBreak = mayBreak();
  try {
    return await ask(signal);
  } catch (error) {
    if (signal.aborted) {
      tally.hung++;
      tally.problem(`${kind}: no answer within ${deadlineMs / 1000} s`);
    } else if (couldBreak || mayBreak()) tally.count(kind, 'cancelled');
    else tally.problem(`${kind}: the connection broke: ${toMessage(error)} ${toMessage((error as Error).cause ?? '')}`);
    await sleep(100);
    return undefined;
  }
}

function check(
  { tally }: ClientOptions,
  kind: string,
  { reply, wanted }: { readonly reply: Reply; readonly wanted: readonly Reference[] },
): void {
  const difference = farthest(vectorsOf(reply), wanted);
  tally.checkedVectors += wanted.length;
  if (difference <= maxDifference) return tally.count(kind, 'right');
  tally.wrongVectors++;
  tally.problem(`${kind}: a vector is ${difference} away from its reference`);
}

/** 429 and 503 that say when to come back; every other status is a problem. */
function isRefusal({ tally }: ClientOptions, kind: string, reply: Reply): boolean {
  const { status, retryAfterSeconds = 0, body } = reply;
  if ((status === 429 || status === 503) && retryAfterSeconds >= 1 && retryAfterSeconds <= 60) {
    tally.count(kind, 'refused');
    return true;
  }
  tally.problem(`${kind}: status ${status}, Retry-After ${retryAfterSeconds}: ${body.slice(0, 300)}`);
  return false;
}

const badBodies: readonly (readonly [body: string, status: number])[] = [
  ['', 400],
  ['{"model":', 400],
  ['[]', 400],
  ['{"input":"x"}', 400],
  ['{"model":"MODEL","input":""}', 400],
  ['{"model":"MODEL","input":["x",""]}', 400],
  ['{"model":"MODEL","input":[[-1]]}', 400],
  ['{"model":"MODEL","input":[[99999999]]}', 400],
  ['{"model":"MODEL","input":"x","dimensions":-3}', 400],
  ['{"model":"MODEL","input":"x","encoding_format":"hex"}', 400],
  ['{"model":"no/such-model","input":"x"}', 404],
];

async function bad(options: ClientOptions): Promise<void> {
  const { target, tally, random } = options;
  const [body, status] = badBodies[pickIndex(random, badBodies.length)]!;
  const reply = await inTime(options, 'bad', (signal) => post(target, body.replace('MODEL', target.model), signal));
  if (reply === undefined) return;
  if (reply.status === status) tally.count('bad', 'expected');
  else if (isRefusal(options, 'bad', reply)) await sleep((reply.retryAfterSeconds ?? 1) * 1000);
}

async function cancel({ target, tally, random }: ClientOptions, wanted: readonly Reference[]): Promise<void> {
  const signal = AbortSignal.timeout(1 + pickIndex(random, 60));
  await post(target, toBody(target, wanted, 'float'), signal).catch(() => {});
  tally.count('cancel', 'cancelled');
}

/** Sends its body in pieces over a second, and reads the answer with pauses. */
async function slow(options: ClientOptions, wanted: readonly Reference[]): Promise<void> {
  const reply = await inTime(options, 'slow', (signal) => postSlowly(options.target, { wanted, signal }));
  if (reply === undefined) return;
  if (reply.status === 200) check(options, 'slow', { reply, wanted });
  else if (isRefusal(options, 'slow', reply)) await sleep((reply.retryAfterSeconds ?? 1) * 1000);
}

async function postSlowly(
  target: Target,
  { wanted, signal }: { readonly wanted: readonly Reference[]; readonly signal: AbortSignal },
): Promise<Reply> {
  const body = Buffer.from(toBody(target, wanted, 'float'));
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const call = request(`${target.url}/v1/embeddings`, { method: 'POST', headers, signal, agent: false });
  const reply = new Promise<Reply>((resolve, reject) => {
    call.on('error', reject);
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        response.pause();
        setTimeout(() => response.resume(), 10);
      });
      response.on('end', () => {
        const retryAfterSeconds = Number(response.headers['retry-after'] ?? Number.NaN);
        resolve({ status: response.statusCode ?? 0, retryAfterSeconds, body: Buffer.concat(chunks).toString() });
      });
    });
  });
  reply.catch(() => {}); // awaited below, where the pieces are sent
  const pieces = 10;
  const size = Math.ceil(body.length / pieces);
  for (let piece = 0; piece < pieces && !call.destroyed; piece++) {
    call.write(body.subarray(piece * size, (piece + 1) * size));
    await sleep(100);
  }
  call.end();
  return reply;
}

const probeLimitMs = 5000; // as long as Kubernetes would wait, several times over

/** The process must always say that it lives, and never take long to. */
async function probe({ target, tally, mayBreak }: ClientOptions): Promise<void> {
  const couldBreak = mayBreak();
  try {
    const { status } = await fetch(`${target.url}/livez`, { signal: AbortSignal.timeout(probeLimitMs) });
    if (status === 200) tally.count('livez', 'expected');
    else tally.problem(`livez: status ${status}`);
    const ready = await fetch(`${target.url}/readyz`, { signal: AbortSignal.timeout(probeLimitMs) });
    tally.count(`readyz ${ready.status}`, 'expected');
    await ready.arrayBuffer();
  } catch (error) {
    if (!couldBreak && !mayBreak()) tally.problem(`livez or readyz: ${toMessage(error)}`);
  }
}
