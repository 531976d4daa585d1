import { expect, test } from 'vitest';
import { explainDiskError } from './disk-error.ts';

test.each([
  ['ENOSPC', 'disk_full', /no room in \/cache: the disk is full\. Free some, .*HF_HUB_CACHE; what has arrived is kept/],
  ['EDQUOT', 'disk_full', /the quota is used up/],
  ['EROFS', 'not_writable', /\/cache cannot be written to \(EROFS\)\. .*HF_HUB_CACHE/],
])('%s is explained', (code, kind, message) => {
  expect(explainDiskError(Object.assign(new Error(), { code }), '/cache')).toMatchObject({
    kind,
    message: expect.stringMatching(message),
  });
});

test('other errors stay what they are', () => {
  const error = new TypeError('bug');
  expect(explainDiskError(error, '/cache')).toBe(error);
  expect(explainDiskError(undefined, '/cache')).toBeUndefined();
});
