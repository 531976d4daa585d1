import { expect, test } from 'vitest';
import { checkSpace, explainDiskError } from './disk-space.ts';

test('a download that does not fit is refused with both sizes', () => {
  checkSpace({ folder: '/cache', neededBytes: 5, freeBytes: 5 });
  expect(() => checkSpace({ folder: '/cache', neededBytes: 15e9, freeBytes: 2.5e9 })).toThrow(
    'There is no room in /cache: the download needs 15.0 GB, and 2.5 GB are free. Free some, or choose another folder with HF_HUB_CACHE; what has arrived is kept.',
  );
});

test.each([
  ['ENOSPC', /the disk is full/],
  ['EDQUOT', /the quota is used up/],
  ['EROFS', /\/cache cannot be written to \(EROFS\)\. .*HF_HUB_CACHE/],
])('%s is explained', (code, message) => {
  expect(explainDiskError(Object.assign(new Error(), { code }), '/cache')).toMatchObject({
    kind: 'disk_full',
    message: expect.stringMatching(message),
  });
});

test('other errors stay what they are', () => {
  const error = new TypeError('bug');
  expect(explainDiskError(error, '/cache')).toBe(error);
  expect(explainDiskError(undefined, '/cache')).toBeUndefined();
});
