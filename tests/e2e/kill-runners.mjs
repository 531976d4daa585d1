// Kills runner processes of a loaded server with SIGKILL and checks that nobody notices more than a 503.
//   node kill-runners.mjs URL SERVER_PID KILLS
// Linux only: processes and their memory are read from /proc.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [url, serverPidText, killsText] = process.argv.slice(2);
const serverPid = Number(serverPidText);
const kills = Number(killsText);
const model = 'sentence-transformers/all-MiniLM-L6-v2';
const clients = 8;
const recoverySeconds = 60;
const goldens = readGoldens();
const count = { right: 0, refused: 0 };
const problems = [];
const killed = new Set();
let isLoading = true;

await warmUp();
const before = await measure();
const runnersBefore = runners();
if (runnersBefore.length === 0) problems.push(`process ${serverPid} has no runner: ${describeTree()}`);
const load = Array.from({ length: clients }, (_, index) => client(index));
for (let kill = 0; kill < kills && problems.length === 0; kill++) await killOne(kill);
await waitFor('a right answer after the last kill', answersFrom(count.right, clients));
isLoading = false;
await Promise.all(load);
await checkAfterwards();

console.log(
  `${kills} kills: ${count.right} right answers, ${count.refused} times 503 with Retry-After, ${problems.length} problems`,
);
for (const problem of problems.slice(0, 20)) console.log(`  WRONG: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

/** Memory settles only after some traffic; growth is counted from there. */
async function warmUp() {
  for (let round = 0; round < 60; round++)
    await Promise.all(Array.from({ length: clients }, (_, i) => ask(pick(round * 31 + i * 7))));
  if (count.refused > 0) problems.push(`${count.refused} requests were refused before anything was killed`);
}

/** Kills while work is in flight. Every third kill hits a runner that has only just been started again. */
async function killOne(kill) {
  if (kill % 3 !== 2) {
    await waitFor(`right answers before kill ${kill + 1}`, answersFrom(count.right, clients * 2));
    await waitFor(`all runners before kill ${kill + 1}`, () => runners().length >= runnersBefore.length);
  }
  await waitFor(`a runner for kill ${kill + 1}`, () => runners().some((pid) => !killed.has(pid)));
  const victim = runners().findLast((pid) => !killed.has(pid));
  if (victim === undefined) return;
  killed.add(victim);
  process.kill(victim, 'SIGKILL');
}

async function client(index) {
  for (let round = 0; isLoading; round++) await ask(pick(index * 1009 + round * 13));
}

/** 1 to 24 texts, different from call to call but the same in every run. */
function pick(seed) {
  return Array.from({ length: 1 + (seed % 24) }, (_, i) => goldens[(seed * 17 + i * 5) % goldens.length]);
}

async function ask(rows) {
  try {
    const body = JSON.stringify({ model, input: rows.map(({ text }) => text), encoding_format: 'base64' });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1/embeddings`, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(60_000),
    });
    const answer = await response.json();
    if (response.status === 200) checkAnswer(rows, answer);
    else if (response.status === 503) await checkRefusal(response, answer);
    else problems.push(`status ${response.status}: ${JSON.stringify(answer).slice(0, 300)}`);
  } catch (error) {
    problems.push(`a request got no answer: ${error.message} ${error.cause?.message ?? ''}`);
    await sleep(100); // a dead server must not fill the list within a second
  }
}

function checkAnswer(rows, { data }) {
  for (const [position, { text, vectors }] of rows.entries()) {
    const vector = toFloats(data[position].embedding);
    const difference = Math.min(...vectors.map((expected) => maxAbs(vector, expected)));
    if (!(difference <= 2e-5))
      problems.push(`${JSON.stringify(text.slice(0, 40))} is ${difference} away from the reference`);
  }
  count.right++;
}

async function checkRefusal(response, { error }) {
  count.refused++;
  const seconds = Number(response.headers.get('retry-after'));
  if (!(seconds >= 1)) problems.push(`a 503 without Retry-After: ${response.headers.get('retry-after')}`);
  const keys = Object.keys(error ?? {})
    .toSorted()
    .join();
  if (keys !== 'code,message,param,type') problems.push(`a 503 with an error of the keys ${keys}`);
  await sleep(50);
}

async function checkAfterwards() {
  await waitFor('all runners back', () => runners().length === runnersBefore.length);
  const refusedBefore = count.refused;
  for (const golden of goldens) await ask([golden]);
  if (count.refused > refusedBefore) problems.push('requests are refused though all runners are back');
  const after = await measure();
  const say = ({ rssMiB, files }) => `${rssMiB.toFixed(0)} MiB, ${files} open files`;
  console.log(`server before: ${say(before)}; after: ${say(after)}`);
  // A leaked runner or batch shows as tens of MiB; the heap of Node breathes by some.
  if (after.rssMiB > before.rssMiB * 1.25 + 16) problems.push('the server holds more memory than before');
  if (after.files > before.files + 8) problems.push('the server holds more open files than before');
  const zombies = descendants().filter(({ state }) => state === 'Z');
  if (zombies.length > 0) problems.push(`${zombies.length} dead runners were not reaped`);
}

/** The lowest of some moments: garbage that waits for its collection is no leak. */
async function measure() {
  let rssMiB = Infinity;
  for (let moment = 0; moment < 10; moment++) {
    const kib = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${serverPid}/status`, 'utf8'))[1]);
    rssMiB = Math.min(rssMiB, kib / 1024);
    await sleep(200);
  }
  return { rssMiB, files: readdirSync(`/proc/${serverPid}/fd`).length };
}

function answersFrom(start, more) {
  return () => count.right >= start + more;
}

async function waitFor(what, isReached) {
  const deadline = Date.now() + recoverySeconds * 1000;
  while (!isReached()) {
    if (problems.length > 0) return;
    if (Date.now() > deadline) return void problems.push(`waited ${recoverySeconds} s for ${what}: ${describeTree()}`);
    await sleep(20);
  }
}

function runners() {
  return descendants()
    .filter(({ state, command }) => state !== 'Z' && command.includes('runner'))
    .map(({ pid }) => pid)
    .toSorted((a, b) => a - b); // the newest last
}

function describeTree() {
  return (
    descendants()
      .map(({ pid, state, command }) => `${pid} ${state} ${command}`)
      .join('; ') || 'no processes below it'
  );
}

function descendants() {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readProcess);
  const found = [];
  for (let parents = new Set([serverPid]); parents.size > 0;) {
    const children = all.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    parents = new Set(children.map(({ pid }) => pid));
  }
  return found;
}

function readProcess(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return [{ pid: Number(pid), state, parent: Number(parent), command }];
  } catch {
    return []; // it ended while we looked
  }
}

/** Short texts with the right vectors: of the bundled weights and of the official ones. */
function readGoldens() {
  const file = JSON.parse(readFileSync(new URL('../goldens/all-MiniLM-L6-v2.json', import.meta.url), 'utf8'));
  const sets = [file.vectors.f16.mean, file.vectors.f32.mean].map(toFloats);
  return file.cases
    .map(({ text, ids }, row) => ({
      text,
      ids,
      vectors: sets.map((set) => set.subarray(row * file.dim, (row + 1) * file.dim)),
    }))
    .filter(({ ids }) => ids.length <= 64);
}

function toFloats(base64) {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

function maxAbs(a, b) {
  if (a.length !== b.length) return Infinity;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= max)) max = Number.isNaN(difference) ? Infinity : difference;
  }
  return max;
}
