import { expect, test } from 'vitest';
import { HubError } from '../store/hub/hub-error.ts';
import { createFetch } from './fetch-model.ts';

const entry = { line: 1, name: 'alias', repository: 'org/a' };
const options = { onProgress: () => {}, signal: new AbortController().signal };
const located = { kind: 'cache', folder: '/cache' } as const;

function fetchWith(download: () => Promise<typeof located>, isOffline = false) {
  return createFetch({ isOffline, download, describePlaces: () => '/models, /cache' })(entry, options);
}

test('what is downloaded is given on', async () => {
  expect(await fetchWith(async () => located)).toBe(located);
});

test('offline nothing is asked for', async () => {
  const download = () => Promise.reject(new Error('asked'));
  await expect(fetchWith(download, true)).rejects.toMatchObject({
    code: 'model_not_downloaded',
    message: expect.stringContaining('/models, /cache'),
  });
});

test.each([
  ['not_found', undefined, 'download_failed', undefined],
  ['unreachable', undefined, 'download_interrupted', 10],
  ['rate_limited', 30, 'download_interrupted', 30],
  ['rate_limited', 86_400, 'download_interrupted', 60],
] as const)('%s with a wait of %s is %s with one of %s', async (kind, asked, code, retryAfterSeconds) => {
  const error = new HubError(kind, 'The hub says so.', { retryAfterSeconds: asked });
  const outcome = await fetchWith(() => Promise.reject(error)).catch((thrown: unknown) => thrown);
  expect(outcome).toMatchObject({ code, message: expect.stringContaining('The hub says so.'), cause: error });
  expect((outcome as { details: object }).details).toMatchObject(
    retryAfterSeconds === undefined ? { model: 'alias' } : { model: 'alias', retryAfterSeconds },
  );
});

test('other errors are ours and stay as they are', async () => {
  await expect(fetchWith(() => Promise.reject(new TypeError('bug')))).rejects.toThrow(TypeError);
});
