import { expect, test } from 'vitest';
import { ServiceError } from '../errors.ts';
import { parseAllowlist } from '../store/allowlist.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { ModelHost } from './model-host.ts';
import type { ServedModel } from './served-model.ts';

/** A host whose models are made by the test; the log says what happened in order. */
function stage({ maxLoadedModels = 2, list = 'org/a\norg/b\norg/c', variants = [] as readonly string[] } = {}) {
  const log: string[] = [];
  const clock = { nowMs: 0 };
  const loads = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  const host = new ModelHost({
    maxLoadedModels,
    pooling: 'mean',
    nowMs: () => clock.nowMs,
    variantsOf: async () => variants,
    load: async ({ repository, task }: AllowlistEntry) => {
      log.push(`load ${repository}${task === undefined ? '' : ` for ${task}`}`);
      await new Promise<void>((resolve, reject) => loads.set(repository, { resolve, reject }));
      const model: Partial<ServedModel> = {
        card: { pooling: 'mean', dimensions: 4 },
        runnerPids: () => [1],
        close: async () => void log.push(`close ${repository}`),
      };
      return model as ServedModel; // the host uses nothing else of it
    },
  });
  host.setAllowlist(parseAllowlist(list));
  const use = async (name: string) => {
    const done = host.use(name, async () => name);
    await Promise.resolve();
    loads.get(host.get(name)?.repository ?? '')?.resolve();
    clock.nowMs++;
    return done;
  };
  return { host, log, clock, loads, use };
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
  await Promise.resolve();
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
  expect(log).toEqual(['load org/a', 'load org/b', 'close org/b', 'load org/c']);
});

test('a busy or pinned model is never unloaded: the request is told to come back', async () => {
  const { host, use, loads } = stage({ list: 'org/a pin=true\norg/b\norg/c' });
  await use('org/a');
  let finish: () => void = () => {};
  const busy = host.use('org/b', () => new Promise<void>((resolve) => (finish = resolve)));
  await Promise.resolve();
  loads.get('org/b')?.resolve();
  await expect(host.use('org/c', async () => 1)).rejects.toMatchObject({
    code: 'model_limit_reached',
    details: { retryAfterSeconds: 2 },
  });
  finish();
  await busy;
});

test('a failed load is remembered for a while, shown, and then tried again', async () => {
  const { host, log, clock, loads } = stage();
  const failed = host.use('org/a', async () => 1);
  await Promise.resolve();
  loads.get('org/a')?.reject(new ServiceError('model_broken', { model: 'org/a', reason: 'bad weights' }));
  await expect(failed).rejects.toMatchObject({ code: 'model_broken' });
  await expect(host.use('org/a', async () => 1)).rejects.toMatchObject({ code: 'model_broken' });
  expect(host.get('org/a')).toMatchObject({ state: 'failed', problem: expect.stringContaining('bad weights') });
  expect(log).toEqual(['load org/a']);
  clock.nowMs += 10_000;
  const again = host.use('org/a', async () => 'ok');
  await Promise.resolve();
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
  clock.nowMs += 10_000;
  const again = host.use('org/a', async () => 'ok');
  await Promise.resolve();
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
  await Promise.resolve();
  loads.get('org/a')?.resolve();
  await new Promise(setImmediate);
  host.setAllowlist(parseAllowlist('org/b'));
  expect(log).toEqual(['load org/a']);
  await expect(host.use('org/a', async () => 1)).rejects.toMatchObject({ code: 'model_not_found' });
  finish();
  await busy;
  expect(log).toEqual(['load org/a', 'close org/a']);
});

test('closing ends every model, also one that is still loading', async () => {
  const { host, log, loads, use } = stage();
  await use('org/a');
  void host.use('org/b', async () => 1).catch(() => {});
  await Promise.resolve();
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
  expect(log.slice(3)).toEqual(['close org/a', 'close org/a', 'close org/a']);
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
