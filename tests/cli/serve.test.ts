import { expect, test } from 'vitest';
import { cli, startCli } from './fake-context.ts';

/** Lets everything that is ready run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

async function untilListening(run: ReturnType<typeof startCli>): Promise<void> {
  while (!run.output.stderr.includes('listens on')) await settle();
}

test('serve says on stderr where it listens with a curl to copy, and logs the same as JSON', async () => {
  const run = startCli(['serve']);
  await untilListening(run);
  expect(run.output.stderr).toContain('listens on http://localhost:1234');
  expect(run.output.stderr).toContain(
    `curl -s http://localhost:1234/v1/embeddings -H "Content-Type: application/json" -d '{"model":"sentence-transformers/all-MiniLM-L6-v2","input":"Hello"}'`,
  );
  expect(JSON.parse(run.output.log)).toMatchObject({ to: 'stdout', msg: 'listening', url: 'http://localhost:1234' });
  run.signal('SIGTERM');
  expect(await run.exitCode).toBe(0);
  expect([run.closedTimes(), run.sparesClosed(), run.listeners.size, run.output.stdout]).toEqual([1, 1, 0, '']);
});

test('the curl mentions a key where keys are set, and never prints one', async () => {
  const run = startCli(['serve'], { env: { EMBEDDINGS_API_KEYS: 'sk-hush' } });
  await untilListening(run);
  expect(run.output.stderr).toContain('-H "Authorization: Bearer $KEY"');
  run.signal('SIGINT');
  await run.exitCode;
  expect(JSON.stringify(run.output)).not.toContain('hush');
});

test.each([
  [['--host', '0.0.0.0'], true],
  [['--host', '::'], true],
  [['--host', '127.0.0.2'], false],
  [['--host', '0.0.0.0', '--api-keys-file', '/keys'], false],
  [['--host', '0.0.0.0', '--api-keys', 'sk-hush'], false],
  [['--host', '0.0.0.0', '--socket', '/run/api.sock'], false],
])('serve %j warns of an open server: %s', async (flags, isWarned) => {
  const run = startCli(['serve', ...flags]);
  await untilListening(run);
  run.signal('SIGTERM');
  await run.exitCode;
  expect(/^warning: .*EMBEDDINGS_API_KEYS_FILE/m.test(run.output.stderr)).toBe(isWarned);
  expect(run.output.log.includes('"level":40')).toBe(isWarned);
});

test('on a socket the curl goes through it', async () => {
  const app = { listen: async () => ({ url: 'unix:/run/api.sock' }) };
  const run = startCli(['serve', '--socket', '/run/api.sock'], { app });
  await untilListening(run);
  run.signal('SIGTERM');
  await run.exitCode;
  expect(run.output.stderr).toContain('listens on unix:/run/api.sock. Try:');
  expect(run.output.stderr).toContain('curl -s --unix-socket /run/api.sock http://localhost/v1/embeddings');
});

test('the first signal waits for the app to close, the second does not', async () => {
  let release: () => void = () => {};
  const close = (): Promise<void> => new Promise((resolve) => (release = resolve));
  for (const second of [undefined, 'SIGINT', 'SIGTERM'] as const) {
    const run = startCli(['serve'], { app: { close } });
    await untilListening(run);
    let ended = false;
    void run.exitCode.then(() => (ended = true));
    run.signal('SIGTERM');
    await settle();
    expect(ended).toBe(false);
    if (second === undefined) release();
    else run.signal(second);
    expect(await run.exitCode).toBe(second === undefined ? 0 : { SIGINT: 130, SIGTERM: 143 }[second]);
  }
});

test('a signal while the app starts ends at once', async () => {
  const run = startCli(['serve'], { starting: new Promise(() => {}) });
  while (run.created.length === 0) await settle();
  run.signal('SIGINT');
  expect(await run.exitCode).toBe(130);
  expect(run.output.stderr).not.toContain('listens');
});

test.each([
  ['EADDRINUSE', 'port 4321 on localhost is in use.', 'choose another with --port or EMBEDDINGS_PORT'],
  ['EACCES', 'may not listen on port 4321', 'above 1023'],
  ['EADDRNOTAVAIL', 'localhost is no address of this machine', '--host or EMBEDDINGS_HOST'],
  ['ENOTFOUND', 'the host name localhost is not known', '--host or EMBEDDINGS_HOST'],
])('%s when listening says what happened and what to do, and closes the app', async (code, what, advice) => {
  const listen = (): Promise<never> => Promise.reject(Object.assign(new Error(`listen ${code}`), { code }));
  const { stderr, exitCode, closed, sparesClosed } = await cli(['serve', '--port', '4321'], { app: { listen } });
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  expect(stderr).toContain(what);
  expect(stderr).toContain(advice);
  expect([exitCode, closed, sparesClosed]).toEqual([1, 1, 1]);
});

test('bad settings stop the start with every problem and exit code 2', async () => {
  const { stderr, exitCode, created } = await cli(['serve', '--port', 'x'], { env: { EMBEDDINGS_DEVICE: 'tpu' } });
  expect(stderr.split('\n')).toEqual([
    'error: EMBEDDINGS_PORT (--port, from flag): expected a whole number from 0 to 65535, got "x"',
    'error: EMBEDDINGS_DEVICE (--device, from environment): expected auto, cpu, cuda, got "tpu"',
    '',
  ]);
  expect([exitCode, created]).toEqual([2, []]);
});

test('a variable that looks like a setting is a warning in the log', async () => {
  const run = startCli(['serve'], { env: { EMBEDDINGS_DEVISE: 'cpu' } });
  await untilListening(run);
  run.signal('SIGTERM');
  await run.exitCode;
  expect(JSON.parse(run.output.log.split('\n')[0] ?? '')).toMatchObject({ level: 40, variable: 'EMBEDDINGS_DEVISE' });
});
