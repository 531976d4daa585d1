import { expect, test } from 'vitest';
import { unreachable } from './unreachable.ts';

function failure(code: string, details: object = {}): Error {
  return Object.assign(new Error(`${code} of https://me:secret@host/path?X-Signature=secret`), { code, ...details });
}

test.each([
  [
    failure('ENOTFOUND'),
    /^hub could not be reached: its name could not be resolved\. Check .*HTTPS_PROXY and HF_ENDPOINT/,
    true,
  ],
  [
    failure('ECONNREFUSED', { address: '127.0.0.1', port: 3128 }),
    /the connection was refused at 127\.0\.0\.1:3128\./,
    true,
  ],
  [failure('UND_ERR_SOCKET'), /the connection was cut/, true],
  [failure('UND_ERR_HEADERS_TIMEOUT'), /did not answer in time/, true],
  [failure('UND_ERR_BODY_TIMEOUT'), /stopped sending/, true],
  [failure('ENETUNREACH'), /could not be reached: ENETUNREACH\./, true],
  ['no error at all', /could not be reached: the connection failed\./, true],
  [
    failure('SELF_SIGNED_CERT_IN_CHAIN'),
    /no secure connection to hub \(SELF_SIGNED_CERT_IN_CHAIN\).*NODE_EXTRA_CA_CERTS/,
    false,
  ],
  [failure('ERR_TLS_CERT_ALTNAME_INVALID'), /no secure connection/, false],
  [new Error('Proxy response (407) !== 200 when HTTP Tunneling'), /the proxy wants a user name and a password/, false],
  [new Error('Proxy response (403) !== 200 when HTTP Tunneling'), /the proxy answered 403/, false],
  [new Error('Proxy response (502) !== 200 when HTTP Tunneling'), /the proxy answered 502/, true],
])('%s', (error, message, isTransient) => {
  const told = unreachable(error, 'hub');
  expect(told).toMatchObject({ kind: 'unreachable', isTransient });
  expect(told.message).toMatch(message);
  expect(`${told.message} ${String(told.cause)}`).not.toContain('secret');
});
