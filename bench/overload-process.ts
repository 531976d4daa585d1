import { poissonArrivals } from './open-loop.ts';
import { QueryConnection } from './query-connection.ts';

export interface OverloadOptions {
  readonly url: string;
  readonly requests: readonly { readonly body: string; readonly weight: number }[];
  /** What the client tells the server, and after which an answer is worth nothing. */
  readonly timeoutMs: number;
  readonly seconds: number;
  /** Clients that wait for their answers, or else arrivals that do not. */
  readonly closedLoop?: number;
  readonly perSecond?: number;
}

export interface OverloadResult {
  /** Of requests answered in time, in all. */
  readonly weight: number;
  readonly answered: number[];
  readonly refusedMs: number[];
  readonly late: number;
  readonly statuses: Record<string, number>;
}

// The other end of parts/overload.ts: takes one OverloadOptions, sends one OverloadResult, ends.
process.once('message', (options: OverloadOptions) => {
  run(options).then(
    (result) => process.send?.(result, () => process.exit(0)),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});

async function run({ url, requests, timeoutMs, seconds, closedLoop, perSecond }: OverloadOptions) {
  // What is answered while as much waits as the clients' patience allows, not the time in which that fills or empties.
  const from = performance.now() + (closedLoop === undefined ? timeoutMs : 0);
  const end = from + seconds * 1000;
  const free: QueryConnection[] = [];
  const sum = {
    weight: 0,
    answered: [] as number[],
    refusedMs: [] as number[],
    late: 0,
    statuses: {} as Record<string, number>,
  };
  const headers = `x-request-timeout-ms: ${timeoutMs}\r\n`;
  const exchange = async (body: string): Promise<{ status: number; milliseconds: number }> => {
    const connection = free.pop() ?? (await QueryConnection.open(url));
    const answer = await connection.exchange(body, headers);
    free.push(connection);
    return answer;
  };
  const send = async (index: number): Promise<void> => {
    const { body, weight } = requests[index % requests.length]!;
    const count = (what: string | number): void => void (sum.statuses[what] = (sum.statuses[what] ?? 0) + 1);
    const { status, milliseconds } = await exchange(body).catch(() => ({ status: 0, milliseconds: 0 }));
    count(status === 0 ? 'no connection' : status);
    if (status === 0) return;
    if (status === 503) sum.late++; // its time was over in the queue
    else if (status !== 200) sum.refusedMs.push(milliseconds);
    else if (milliseconds > timeoutMs) sum.late++;
    else {
      sum.answered.push(milliseconds);
      const now = performance.now();
      if (now >= from && now < end) sum.weight += weight;
    }
  };
  if (closedLoop !== undefined) {
    let next = 0;
    const client = async (): Promise<void> => {
      while (performance.now() < end) await send(next++);
    };
    await Promise.all(Array.from({ length: closedLoop }, client));
    return sum;
  }
  const arrivals = poissonArrivals({ perSecond: perSecond ?? 1, seconds: seconds + timeoutMs / 1000, seed: 1 });
  await sendAll(arrivals, send);
  return sum;
}

/** One timer for all: thousands of arrivals a second are sent a millisecond's worth at a time. */
function sendAll(arrivals: readonly number[], send: (index: number) => Promise<void>): Promise<unknown> {
  const start = performance.now();
  const sent: Promise<void>[] = [];
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      const now = performance.now() - start;
      while (sent.length < arrivals.length && arrivals[sent.length]! <= now) sent.push(send(sent.length));
      if (sent.length < arrivals.length) return;
      clearInterval(timer);
      Promise.all(sent).then(resolve, reject);
    }, 1);
  });
}
