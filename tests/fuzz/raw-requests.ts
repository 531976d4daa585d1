import fc from 'fast-check';

/** Bytes on a connection, in the pieces in which they are sent; many are no HTTP. */
export type RawRequest = readonly Buffer[];

const startLines = [
  'POST /v1/embeddings HTTP/1.1',
  'POST /v1/embeddings HTTP/1.0',
  'POST /v1/embeddings HTTP/9.9',
  'POST /v1/embeddings',
  'post /v1/embeddings HTTP/1.1',
  'POST  /v1/embeddings  HTTP/1.1',
  'POST http://elsewhere/v1/embeddings HTTP/1.1',
  'POST //v1//embeddings HTTP/1.1',
  'POST /v1/embeddings%00 HTTP/1.1',
  'POST /v1/%65mbeddings?x=%ff&y=%zz HTTP/1.1',
  'GET /v1/models/../../etc/passwd HTTP/1.1',
  'GET /docs/static/..%2f..%2fpackage.json HTTP/1.1',
  'GET /v1/models/%2e%2e%2f%2e%2e HTTP/1.1',
  `GET /${'a'.repeat(20_000)} HTTP/1.1`,
  'OPTIONS * HTTP/1.1',
  'TRACE / HTTP/1.1',
  'CONNECT elsewhere:443 HTTP/1.1',
  'PRI * HTTP/2.0',
  'FOO / HTTP/1.1',
  'HEAD /v1/embeddings HTTP/1.1',
  'DELETE /v1/embeddings HTTP/1.1',
  '',
];
const headers = [
  'Host: a',
  'Host: a',
  'Content-Type: application/json',
  'Content-Type: application/json',
  'Content-Type: application/json; charset=utf-16',
  'Content-Type: multipart/form-data; boundary=x',
  'Content-Type: __proto__',
  'Content-Length: 5',
  'Content-Length: 5',
  'Content-Length: 0',
  'Content-Length: -1',
  'Content-Length: +5',
  'Content-Length: 5, 6',
  'Content-Length: 99999999999999999999',
  'Content-Length: 68719476736',
  'Content-Length : 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding:\u000bchunked',
  'Content-Encoding: gzip',
  'Expect: 100-continue',
  'Expect: something',
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Authorization: Bearer \u0000',
  'Authorization: Basic ////',
  'Range: bytes=0-9999999999999',
  'Origin: null',
  'X-Request-Id: \u00ff',
  `X-Long: ${'b'.repeat(17_000)}`,
  ' folded: line',
  'no colon',
  ': no name',
  'a\0b: c',
];
const bodies = [
  '',
  '{"a":',
  '5\r\n{"a":\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: b\r\n\r\n',
  'ffffffffffffffff\r\nx\r\n',
  '-1\r\nx\r\n0\r\n\r\n',
  `1;${'e'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`,
  '5\r\nabc',
  'GET /health HTTP/1.1\r\nHost: b\r\n\r\n'.repeat(20),
];
const clientHello = Buffer.from('16030100c8010000c40303', 'hex');

export const rawRequests: fc.Arbitrary<RawRequest> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...startLines),
        fc.array(fc.constantFrom(...headers), { maxLength: 6 }),
        fc.constantFrom(...bodies),
        fc.constantFrom('\r\n', '\r\n', '\r\n', '\n', '\r'),
        fc.nat({ max: 400 }),
      )
      .map(([start, lines, body, end, cut]) => {
        const bytes = Buffer.from([start, ...lines, '', ''].join(end) + body, 'latin1');
        return [bytes.subarray(0, cut), bytes.subarray(cut)];
      }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => [Buffer.from(bytes)]) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => [clientHello, Buffer.from(bytes)]) },
);

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** The answers among what came back; of a body without a length only the start is known. */
export function parseAnswers(bytes: Buffer): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let text = bytes.toString('latin1'); text.startsWith('HTTP/');) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const head = text.slice(0, end);
    const status = Number(/^HTTP\/\S+ (\d+)/.exec(head)?.[1]);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const rest = text.slice(end + 4);
    const isBare = length === undefined || rest.startsWith('HTTP/'); // an answer to HEAD says the length of what it leaves out
    const body = isBare ? '' : rest.slice(0, Number(length));
    answers.push({ status, body });
    if (length === undefined && status >= 200) return answers;
    text = rest.slice(body.length);
  }
  return answers;
}
