import autocannon from 'autocannon';
import type { LoadOptions } from './load.ts';

// The other end of load.ts: takes one LoadOptions, sends one LoadResult, ends.

process.once('message', (options: LoadOptions) => {
  run(options).then(
    (result) => process.send?.(result, () => process.exit(0)),
    (error: unknown) => process.send?.({ problem: String(error) }, () => process.exit(1)),
  );
});

async function run({ url, connections, bodies, amount, seconds, minBytes }: LoadOptions): Promise<object> {
  const milliseconds: number[] = [];
  let refused = 0;
  let next = 0;
  const start = performance.now();
  let end = start;
  const cannon = autocannon({
    url,
    connections,
    timeout: 120,
    ...(amount === undefined ? { duration: seconds ?? 1 } : { amount }),
    requests: [
      {
        method: 'POST',
        path: '/v1/embeddings',
        headers: { 'content-type': 'application/json' },
        setupRequest: (request) => ({ ...request, body: bodies[next++ % bodies.length] ?? '' }),
      },
    ],
  });
  cannon.on('response', (_client, status, bytes, took) => {
    end = performance.now();
    if (status !== 200 || bytes < minBytes) refused++;
    else milliseconds.push(took);
  });
  process.once('SIGTERM', () => cannon.stop());
  const { errors, timeouts } = await cannon;
  if (refused + errors + timeouts > 0) {
    throw new Error(
      `${refused} answers were not 200 with all vectors, ${errors} connections failed, ${timeouts} timed out`,
    );
  }
  return { wallSeconds: (end - start) / 1000, answered: milliseconds.length, milliseconds };
}
