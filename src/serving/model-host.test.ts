import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { parseAllowlist } from '../store/allowlist.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { Download } from './model-files.ts';
import { manualClock } from '../../tests/serving/manual-clock.ts';
import { ModelHost } from './model-host.ts';
import type { ServedModel } from './served-model.ts';

interface StageOptions {
  readonly maxLoadedModels?: number;
  readonly maxModelMemory?: number;
  readonly keepAlive?: number;
  readonly loadWaitSeconds?: number;
  readonly list?: string;
  readonly variants?: readonly string[];
}

/** A host whose models are made by the test; the log says what happened in order. */
function stage(options: StageOptions = {}) {
  const { list = 'org/a\norg/b\norg/c', variants = [] } = options;
  const log: string[] = [];
  const clock = manualClock();
  const loads = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  const downloads = new Map<string, Download>();
  const files: { isGone: boolean; waitFor?: Promise<void> } = { isGone: false };
  const host = new ModelHost({
    files: {
      obtain: async ({ repository }) => {
        await files.waitFor;
        if (files.isGone) throw new Error('no files');
        return { kind: 'local', folder: repository };
      },
      downloadOf: ({ repository }) => downloads.get(repository),
      retain: () => {},
      close: () => {},
    },
    prepare: async ({ repository, task }: AllowlistEntry) => ({
      memoryBytes: repository.includes('big') ? 10e9 : 1e9,
      start: async () => {
        log.push(`load ${repository}${task === undefined ? '' : ` for ${task}`}`);
        await new Promise<void>((resolve, reject) => loads.set(repository, { resolve, reject }));
        const model: Partial<ServedModel> = {
          card: { pooling: 'mean', dimensions: 4, origin: 'local', dtype: 'float32', tasks: variants },
          runnerPids: () => [1],
          check: () => {},
          close: async () => void log.push(`close ${repository}`),
        };
        return model as ServedModel; // the host uses nothing else of it
      },
    }),
    variantsOf: async () => variants,
    maxLoadedModels: 2,
    maxModelMemory: 100e9,
    keepAlive: undefined,
    loadWaitSeconds: 30,
    pooling: 'mean',
    tokenIds: 'model',
    clock,
    observer: { onUnload: ({ name }, reason) => void log.push(`unload ${name}: ${reason}`) },
    ...options,
  });
  host.setAllowlist(parseAllowlist(list));
  const finishLoad = async (name: string) => {
    await settled();
    loads.get(host.get(name)?.repository ?? '')?.resolve();
    await settled();
  };
  const use = async (name: string) => {
    const done = host.use(name, async () => name);
    await finishLoad(name);
    clock.pass(1);
    return done;
  };
  /** A request that is worked on until `finish`. */
  const hold = async (name: string) => {
    let finish: () => void = () => {};
    const done = host.use(name, () => new Promise<void>((resolve) => (finish = resolve)));
    await finishLoad(name);
    return { finish: () => (finish(), done) };
  };
  return { host, log, clock, loads, files, downloads, use, hold, finishLoad };
}

test('a model that is not on the list is model_not_found, with the parameter named', async () => {
  await expect(stage().host.use('org/x', async () => 1)).rejects.toMatchObject({
    code: 'model_not_found',
    details: { param: 'model' },
  });
});

test('a model loads on its first use, once, however many ask', async () => {
  const { host, log, loads } = stage();
  expect(host.get('org/a')?.state).toBe('available');
  const uses = [1, 2, 3].map((n) => host.use('org/a', async () => n));
  await settled();
  expect(host.get('org/a')?.state).toBe('loading');
  loads.get('org/a')?.resolve();
  expect(await Promise.all(uses)).toEqual([1, 2, 3]);
  expect(log).toEqual(['load org/a']);
  expect(host.get('org/a')).toMatchObject({ state: 'ready', dimensions: 4 });
});

test('aliases of one repository share the model in memory', async () => {
  const { log, use } = stage({ list: 'org/a alias=query prompt="query: "\norg/a alias=passage prompt="passage: "' });
  await use('query');
  await use('passage');
  expect(log).toEqual(['load org/a']);
});

test('the model unused for longest makes room for another', async () => {
  const { log, use } = stage();
  await use('org/a');
  await use('org/b');
  await use('org/a');
  await use('org/c');
  expect(log).toEqual(['load org/a', 'load org/b', 'unload org/b: room', 'close org/b', 'load org/c']);
});

test('a busy or pinned model is not unloaded: the request waits, and is told to come back when that takes long', async () => {
  const { host, log, clock, use, hold, finishLoad } = stage({ list: 'org/a pin=true\norg/b\norg/c' });
  await use('org/a');
  const busy = await hold('org/b');
  const late = host.use('org/c', async () => 1);
  await settled();
  clock.pass(1000);
  expect(log).toEqual(['load org/a', 'load org/b']);
  const other = host.use('org/c', async () => 2);
  const outcome = expect(late).rejects.toMatchObject({
    code: 'model_limit_reached',
    details: { held: 'org/a, org/b', retryAfterSeconds: 5 },
  });
  clock.pass(29_000);
  await outcome;
  await busy.finish();
  await finishLoad('org/c');
  expect(await other).toBe(2);
  expect(log.slice(2)).toEqual(['unload org/b: room', 'close org/b', 'load org/c']);
});

test('a model that is busy all the time lets another have a turn', async () => {
  const { host, log, clock, hold, finishLoad } = stage({ maxLoadedModels: 1 });
  const first = await hold('org/a');
  clock.pass(10_000);
  const waiting = host.use('org/b', async () => 'b');
  await settled();
  const second = await hold('org/a'); // shares the model, which is never idle
  clock.pass(2000);
  const next = host.use('org/a', async () => 'a again');
  await settled();
  expect(log).toEqual(['load org/a', 'unload org/a: room']);
  await Promise.all([first.finish(), second.finish()]);
  await finishLoad('org/b');
  expect(await waiting).toBe('b');
  await finishLoad('org/a');
  expect(await next).toBe('a again');
  expect(log.slice(2)).toEqual(['close org/a', 'load org/b', 'unload org/b: room', 'close org/b', 'load org/a']);
});

test('models have their memory together: several small ones go for a big one, and too big is refused', async () => {
  const { host, log, use } = stage({ maxLoadedModels: 9, maxModelMemory: 11e9, list: 'org/a\norg/b\norg/big' });
  await use('org/a');
  await use('org/b');
  await use('org/big');
  expect(log.slice(2)).toEqual(['unload org/a: room', 'close org/a', 'load org/big']);
  const small = stage({ maxModelMemory: 9e9, list: 'org/big' });
  await expect(small.host.use('org/big', async () => 1)).rejects.toMatchObject({ code: 'model_too_large' });
  expect(small.host.get('org/big')).toMatchObject({
    state: 'failed',
    problem: expect.stringContaining('needs about 10.0 GB of memory, 9.0 GB are allowed'),
  });
  expect(host.get('org/big')).toMatchObject({ state: 'ready', memoryBytes: 10e9 });
});

test('a model that nobody uses for the time it is kept is unloaded, a pinned one never', async () => {
  const { host, log, clock, use, hold } = stage({ keepAlive: 60, list: 'org/a\norg/b pin=true', maxLoadedModels: 3 });
  await use('org/a');
  await use('org/b');
  const busy = await hold('org/a');
  clock.pass(70_000);
  await busy.finish();
  clock.pass(59_000);
  expect(host.listHeld()).toHaveLength(2);
  clock.pass(10_000);
  await settled();
  expect(log.slice(2)).toEqual(['unload org/a: idle', 'close org/a']);
  expect(host.listHeld()).toEqual([{ id: 'org/b', state: 'ready' }]);
});

test('a request does not wait for its model for ever; the load goes on and the next request has it', async () => {
  const { host, log, clock, downloads, finishLoad } = stage({ loadWaitSeconds: 5 });
  const early = host.use('org/a', async () => 1);
  await settled();
  downloads.set('org/a', { doneBytes: 250e6, totalBytes: 1e9, bytesPerSecond: 50e6 });
  expect(host.get('org/a')).toMatchObject({ state: 'downloading', downloadedBytes: 250e6, downloadBytes: 1e9 });
  const outcome = expect(early).rejects.toMatchObject({
    code: 'model_loading',
    message: expect.stringContaining('it is being downloaded, 250.0 MB of 1.0 GB are here'),
    details: { retryAfterSeconds: 15 },
  });
  clock.pass(5000);
  await outcome;
  downloads.clear();
  const again = host.use('org/a', async () => 'ok');
  await finishLoad('org/a');
  expect(await again).toBe('ok');
  expect(log).toEqual(['load org/a']);
});

test('a caller who leaves while the model loads is let go at once, and loads asked for at start wait for ever', async () => {
  const { host, clock, finishLoad } = stage();
  const abort = new AbortController();
  const left = host.use('org/a', async () => 1, {}, abort.signal);
  const preload = host.load('org/a');
  await settled();
  abort.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  clock.pass(1e9);
  await finishLoad('org/a');
  await preload;
  expect(host.get('org/a')?.state).toBe('ready');
});

test('a failure with a time to come back says the time that is left', async () => {
  const { host, clock, loads } = stage();
  const failed = host.use('org/a', async () => 1);
  await settled();
  loads
    .get('org/a')
    ?.reject(
      new ServiceError('download_interrupted', { model: 'org/a', reason: 'no network.', retryAfterSeconds: 20 }),
    );
  await expect(failed).rejects.toMatchObject({ details: { retryAfterSeconds: 20 } });
  clock.pass(15_000);
  await expect(host.use('org/a', async () => 1)).rejects.toMatchObject({
    code: 'download_interrupted',
    message: expect.stringContaining('Try again in 5 s'),
    details: { retryAfterSeconds: 5 },
  });
});

test('a request for a variant of a loaded model does not look for its files again', async () => {
  const { host, files, loads, use } = stage({ variants: ['query'] });
  await use('org/a');
  files.isGone = true;
  expect(await host.use('org/a', async () => 'ok', { inputType: 'other' })).toBe('ok');
  const other = host.use('org/b', async () => 1, { inputType: 'query' });
  await expect(other).rejects.toThrow('no files');
  expect([...loads.keys()]).toEqual(['org/a']);
});

test('a model that cannot fit beside the pinned ones holds nobody up, and nobody goes for it', async () => {
  const { host, log, use } = stage({
    maxLoadedModels: 9,
    maxModelMemory: 10.5e9,
    list: 'org/a pin=true\norg/c\norg/big\norg/d',
  });
  await use('org/a');
  await use('org/c');
  await expect(host.use('org/big', async () => 1)).rejects.toMatchObject({
    code: 'pinned_models',
    details: { held: 'org/a' },
  });
  expect(await use('org/d')).toBe('org/d');
  expect(log).toEqual(['load org/a', 'load org/c', 'load org/d']);
  expect(host.get('org/big')).toMatchObject({ state: 'failed', problem: expect.stringContaining('pin=true') });
});

test('whom nobody waits for any more stands behind, sends nobody away, and leaves the line after a while', async () => {
  const { host, log, clock, use, finishLoad } = stage({ maxLoadedModels: 1, list: 'org/hot\norg/b\norg/c\norg/d' });
  await use('org/hot');
  const abort = new AbortController();
  const left = ['org/b', 'org/c', 'org/d'].map((name) =>
    expect(host.use(name, async () => 1, {}, abort.signal)).rejects.toThrow('left'),
  );
  await settled();
  abort.abort(new Error('left'));
  await Promise.all(left);
  await finishLoad('org/b'); // it had its place already
  clock.pass(10_000);
  const hot = host.use('org/hot', async () => 'hot');
  await finishLoad('org/hot');
  expect(await hot).toBe('hot');
  clock.pass(5000);
  await settled();
  expect(log.filter((line) => line.startsWith('load'))).toEqual(['load org/hot', 'load org/b', 'load org/hot']);
  expect(host.listHeld()).toEqual([{ id: 'org/hot', state: 'ready' }]);
});

test('a model that was loaded for somebody who was told to come back stays for them', async () => {
  const { host, log, clock, finishLoad, use } = stage({ maxLoadedModels: 1, loadWaitSeconds: 5, keepAlive: 8 });
  const early = expect(host.use('org/a', async () => 1)).rejects.toMatchObject({ code: 'model_loading' });
  await settled();
  clock.pass(5000);
  await early;
  const other = host.use('org/b', async () => 'b');
  clock.pass(1000);
  await finishLoad('org/a');
  clock.pass(3500);
  expect(log).toEqual(['load org/a']);
  expect(await use('org/a')).toBe('org/a');
  await finishLoad('org/b');
  expect(await other).toBe('b');
});

test('the time a request waits is one, for its files, its room and its load together', async () => {
  const { host, clock, files } = stage({ variants: ['query'], loadWaitSeconds: 30 });
  files.waitFor = new Promise((resolve) => clock.after(29_000, () => resolve()));
  let endMs: number | undefined;
  const late = host.use('org/a', async () => 1, { inputType: 'query' }).catch(() => (endMs = clock.nowMs()));
  for (let second = 0; second < 40; second++) {
    clock.pass(1000);
    await settled();
  }
  await late;
  expect(endMs).toBe(30_000);
});

test('what a hub asks to wait is kept to for a minute at most', async () => {
  const { host, log, clock, loads, use } = stage();
  const failed = host.use('org/a', async () => 1);
  await settled();
  const details = { model: 'org/a', reason: 'busy.', retryAfterSeconds: 86_400 };
  loads.get('org/a')?.reject(new ServiceError('download_interrupted', details));
  await expect(failed).rejects.toThrow('busy');
  await expect(host.use('org/a', async () => 1)).rejects.toMatchObject({ details: { retryAfterSeconds: 60 } });
  clock.pass(60_000);
  await use('org/a');
  expect(log).toEqual(['load org/a', 'load org/a']);
});

test('a failed load is remembered for a while, shown, and then tried again', async () => {
  const { host, log, clock, loads } = stage();
  const failed = host.use('org/a', async () => 1);
  await settled();
  loads.get('org/a')?.reject(new ServiceError('model_broken', { model: 'org/a', reason: 'bad weights' }));
  await expect(failed).rejects.toMatchObject({ code: 'model_broken' });
  await expect(host.use('org/a', async () => 1)).rejects.toMatchObject({ code: 'model_broken' });
  expect(host.get('org/a')).toMatchObject({ state: 'failed', problem: expect.stringContaining('bad weights') });
  expect(log).toEqual(['load org/a']);
  clock.pass(10_000);
  const again = host.use('org/a', async () => 'ok');
  await settled();
  loads.get('org/a')?.resolve();
  expect(await again).toBe('ok');
});

test('a model whose runners have given up is ended, shown as failed, and loaded again after a while', async () => {
  const { host, log, clock, loads, use } = stage();
  await use('org/a');
  const broken = new ServiceError('model_broken', { model: 'org/a', reason: 'its process stopped 5 times' });
  const die = () => host.use('org/a', () => Promise.reject(broken));
  await Promise.all([expect(die()).rejects.toBe(broken), expect(die()).rejects.toBe(broken)]);
  expect(log).toEqual(['load org/a', 'close org/a']);
  expect(host.get('org/a')).toMatchObject({ state: 'failed', problem: expect.stringContaining('stopped 5 times') });
  expect(host.get('org/a')).not.toHaveProperty('dimensions');
  expect(host.runnerPids()).toEqual([]);
  await expect(host.use('org/a', async () => 1)).rejects.toBe(broken);
  clock.pass(10_000);
  const again = host.use('org/a', async () => 'ok');
  await settled();
  loads.get('org/a')?.resolve();
  expect(await again).toBe('ok');
});

test('other errors of the work leave the model as it is', async () => {
  const { host, use } = stage();
  await use('org/a');
  await expect(host.use('org/a', () => Promise.reject(new Error('bad text')))).rejects.toThrow('bad text');
  expect(host.get('org/a')?.state).toBe('ready');
});

test('a closed host loads nothing more', async () => {
  const { host, log } = stage();
  await host.close();
  await expect(host.use('org/a', async () => 1)).rejects.toMatchObject({ code: 'shutting_down' });
  expect(log).toEqual([]);
});

test('a model taken off the list ends when its last request is done', async () => {
  const { host, log, loads } = stage();
  let finish: () => void = () => {};
  const busy = host.use('org/a', () => new Promise<void>((resolve) => (finish = resolve)));
  await settled();
  loads.get('org/a')?.resolve();
  await settled();
  host.setAllowlist(parseAllowlist('org/b'));
  expect(log).toEqual(['load org/a', 'unload org/a: allowlist']);
  await expect(host.use('org/a', async () => 1)).rejects.toMatchObject({ code: 'model_not_found' });
  finish();
  await busy;
  expect(log).toEqual(['load org/a', 'unload org/a: allowlist', 'close org/a']);
});

test('a line that changes: requests in flight end on the model they began with, new ones get the new one', async () => {
  const { host, log, hold, finishLoad } = stage();
  const before = await hold('org/a');
  host.setAllowlist(parseAllowlist('org/a pooling=model\norg/d'));
  expect(host.get('org/a')).toMatchObject({ state: 'available', pooling: 'model' });
  const after = host.use('org/a', async (_model, { pooling }) => pooling);
  const added = host.use('org/d', async () => 'd');
  await finishLoad('org/a');
  expect(await after).toBe('model');
  await before.finish();
  await finishLoad('org/d');
  expect(await added).toBe('d');
  expect(log).toEqual(['load org/a', 'unload org/a: allowlist', 'load org/a', 'close org/a', 'load org/d']);
});

test('a model that left the list while it loaded ends when it is loaded, and gives its place back', async () => {
  const { host, log, loads, use } = stage({ maxLoadedModels: 1 });
  const early = host.use('org/a', async () => 'a');
  await settled();
  host.setAllowlist(parseAllowlist('org/b'));
  loads.get('org/a')?.resolve();
  expect(await early).toBe('a'); // it was accepted
  expect(await use('org/b')).toBe('org/b');
  expect(log).toEqual(['load org/a', 'close org/a', 'load org/b']);
});

test('closing ends every model, also one that is still loading', async () => {
  const { host, log, loads, use } = stage();
  await use('org/a');
  void host.use('org/b', async () => 1).catch(() => {});
  await settled();
  const closed = host.close();
  loads.get('org/b')?.resolve();
  await closed;
  expect(log).toEqual(['load org/a', 'load org/b', 'close org/a', 'close org/b']);
});

test('a task that names an adapter loads that variant beside the plain model; other tasks do not', async () => {
  const { host, log, loads } = stage({ variants: ['retrieval.query', 'separation'], maxLoadedModels: 3 });
  const use = async (wish: { readonly task?: string; readonly inputType?: string }) => {
    const done = host.use('org/a', async (_model, { task }) => task, wish);
    await settled();
    loads.get('org/a')?.resolve();
    return done;
  };
  await use({});
  await use({ task: 'clustering' });
  await use({ inputType: 'query' });
  await use({ task: 'separation', inputType: 'query' });
  await use({ task: 'retrieval.query' });
  expect(log).toEqual(['load org/a', 'load org/a for retrieval.query', 'load org/a for separation']);
  host.setAllowlist(parseAllowlist('org/a'));
  expect(log).toHaveLength(3); // variants stay as long as their line does
  host.setAllowlist(parseAllowlist('org/b'));
  expect(log.filter((line) => line === 'close org/a')).toHaveLength(3);
});

test('requests that ask for one variant at once share its load', async () => {
  const { host, log, loads } = stage({ variants: ['query'] });
  const uses = [1, 2].map((n) => host.use('org/a', async () => n, { task: 'query' }));
  await settled();
  loads.get('org/a')?.resolve();
  expect(await Promise.all(uses)).toEqual([1, 2]);
  expect(log).toEqual(['load org/a for query']);
});

test('a line that goes, or a host that closes, while variants are looked up loads nothing', async () => {
  const { host, log } = stage({ variants: ['query'] });
  const gone = host.use('org/a', async () => 1, { task: 'query' });
  host.setAllowlist(parseAllowlist('org/b'));
  await expect(gone).rejects.toMatchObject({ code: 'model_not_found' });
  const late = host.use('org/b', async () => 1, { task: 'query' });
  await host.close();
  await expect(late).rejects.toMatchObject({ code: 'shutting_down' });
  expect(log).toEqual([]);
});

test('a line that is read again while variants are looked up is looked up again', async () => {
  const { host, log, loads } = stage({ variants: ['query'] });
  const use = host.use('org/a', async (_model, { prompt }) => prompt, { task: 'query' });
  host.setAllowlist(parseAllowlist('org/a prompt="new: "'));
  await settled();
  loads.get('org/a')?.resolve();
  expect(await use).toBe('new: ');
  expect(log).toEqual(['load org/a for query']);
});

/** When everything that waits for nothing else has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
