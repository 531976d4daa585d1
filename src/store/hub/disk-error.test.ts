import { expect, test } from 'vitest';
import { explainDiskError } from './disk-error.ts';

test.each([
  ['ENOSPC', 'disk_full', /no room in \/cache: the disk is full\. Free some, .*HF_HUB_CACHE; what has arrived is kept/],
  ['EDQUOT', 'disk_full', /the quota is used up/],
  ['EROFS', 'not_writable', /\/cache cannot be written to \(EROFS: the file system is read-only\)\. .*HF_HUB_CACHE/],
  ['ENOENT', 'not_writable', /it cannot be made there; the file system may be read-only/],
  ['EIO', 'not_writable', /\/cache cannot be written to \(EIO\)\. /],
])('%s is explained', (code, kind, message) => {
  expect(explainDiskError(Object.assign(new Error(), { code, syscall: 'open' }), '/cache')).toMatchObject({
    kind,
    message: expect.stringMatching(message),
  });
});

test('other errors stay what they are', () => {
  const error = new TypeError('bug');
  expect(explainDiskError(error, '/cache')).toBe(error);
  const network = Object.assign(new Error(), { code: 'UND_ERR_SOCKET' });
  expect(explainDiskError(network, '/cache')).toBe(network);
  expect(explainDiskError(undefined, '/cache')).toBeUndefined();
});
