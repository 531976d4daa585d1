import { setTimeout as sleep } from 'node:timers/promises';
import { embedOnce } from './http-client.ts';

/** Moments in milliseconds of independent clients (Poisson) with a mean rate; the same seed gives the same moments. */
export function poissonArrivals({ perSecond, seconds, seed }: PoissonOptions): number[] {
  const arrivals: number[] = [];
  let state = seed;
  let moment = 0;
  for (;;) {
    state = (state * 16_807) % 2_147_483_647;
    moment += (-Math.log(state / 2_147_483_647) * 1000) / perSecond;
    if (moment >= seconds * 1000) return arrivals;
    arrivals.push(moment);
  }
}

interface PoissonOptions {
  readonly perSecond: number;
  readonly seconds: number;
  /** From 1 to 2147483646. */
  readonly seed: number;
}

/**
 * Sends at the moments given, whether or not earlier answers are there, so a slow answer hides no other. What `send`
 * times starts when the timer fires, so the timer's own lateness is not the server's.
 */
export function sendAt(arrivals: readonly number[], send: (index: number) => Promise<number>): Promise<number[]> {
  const start = performance.now();
  return Promise.all(
    arrivals.map(async (moment, index) => {
      await sleep(start + moment - performance.now());
      return send(index);
    }),
  );
}

/** Milliseconds of one query; anything but 200 is an error. */
export async function timeQuery(url: string, body: string): Promise<number> {
  const { status, milliseconds, body: answer } = await embedOnce({ url, body });
  if (status !== 200) throw new Error(`Expected status 200, got ${status}: ${answer.toString().slice(0, 300)}`);
  return milliseconds;
}
