import { expect, test } from 'vitest';
import { parseAllowlist } from '../store/allowlist.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import type { LocatedModel } from '../store/locate-model.ts';
import { manualClock } from '../../tests/serving/manual-clock.ts';
import { ModelFiles, type FetchOptions } from './model-files.ts';

/** Files that come when the test says so. */
function stage() {
  const clock = manualClock();
  const here = new Map<string, LocatedModel>();
  const fetches: {
    readonly entry: AllowlistEntry;
    readonly finish: (error?: Error) => void;
    readonly options: FetchOptions;
  }[] = [];
  const log: string[] = [];
  const files = new ModelFiles({
    locate: ({ repository }) => here.get(repository),
    fetch: (entry, options) =>
      new Promise((resolve, reject) => {
        const finish = (error?: Error) => (error === undefined ? resolve(located(entry)) : reject(error));
        options.signal.addEventListener('abort', () => finish(options.signal.reason as Error));
        fetches.push({ entry, finish, options });
      }),
    clock,
    observer: { onEnd: (name, outcome) => void log.push(`${name} ${outcome}`) },
  });
  return { files, clock, here, fetches, log };
}

function located({ repository }: AllowlistEntry): LocatedModel {
  return { kind: 'cache', folder: repository };
}

const [query, passage, other] = parseAllowlist('org/a alias=query\norg/a alias=passage\norg/b').entries as [
  AllowlistEntry,
  AllowlistEntry,
  AllowlistEntry,
];
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('files that are here are not downloaded', async () => {
  const { files, here, fetches } = stage();
  here.set('org/a', located(query));
  expect(await files.obtain(query)).toMatchObject({ folder: 'org/a' });
  expect(fetches).toEqual([]);
});

test('entries of one repository share its download, and see how far it is', async () => {
  const { files, clock, fetches, log } = stage();
  const both = Promise.all([files.obtain(query), files.obtain(passage)]);
  await settled();
  expect([fetches.length, files.downloadOf(query)?.totalBytes]).toEqual([1, undefined]);
  fetches[0]?.options.onProgress({ doneBytes: 100, totalBytes: 1000 }); // of an earlier try
  clock.pass(2000);
  fetches[0]?.options.onProgress({ doneBytes: 300, totalBytes: 1000 });
  expect(files.downloadOf(passage)).toEqual({ doneBytes: 300, totalBytes: 1000, bytesPerSecond: 100 });
  expect(files.downloadOf(other)).toBeUndefined();
  fetches[0]?.finish();
  expect(await both).toHaveLength(2);
  expect([files.downloadOf(query), log]).toEqual([undefined, ['query done']]);
});

test('a download that fails is tried again by the next who asks', async () => {
  const { files, fetches, log } = stage();
  const failed = files.obtain(query);
  await settled();
  fetches[0]?.finish(new Error('no network'));
  await expect(failed).rejects.toThrow('no network');
  const again = files.obtain(query);
  await settled();
  fetches[1]?.finish();
  await again;
  expect(log).toEqual(['query failed', 'query done']);
});

test('a model that leaves the allowlist is not downloaded further, and no other is disturbed', async () => {
  const { files, fetches } = stage();
  const gone = expect(files.obtain(query)).rejects.toMatchObject({ code: 'model_not_found' });
  const stays = files.obtain(other);
  await settled();
  files.retain([other]);
  await gone;
  fetches[1]?.finish();
  expect(await stays).toMatchObject({ folder: 'org/b' });
  const late = expect(files.obtain(other)).rejects.toMatchObject({ code: 'shutting_down' });
  await settled();
  files.close();
  await late;
});
