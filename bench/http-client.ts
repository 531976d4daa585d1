import { Agent, request } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
  /** From the request written to the last byte of the answer. */
  readonly milliseconds: number;
}

const agent = new Agent({ keepAlive: true });

/** One POST /v1/embeddings over a kept-alive connection. */
export function embedOnce({ url, body }: { url: string; body: string }): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const start = performance.now();
    const call = request(`${url}/v1/embeddings`, { method: 'POST', agent, headers, timeout: 60_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const milliseconds = performance.now() - start;
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks), milliseconds });
      });
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 60 s')));
    call.on('error', reject);
    call.end(body);
  });
}

/** The vectors of an answer, one buffer `[rows][dim]`; some servers ignore that base64 was asked for. */
export function decodeVectors({ status, body }: HttpAnswer): Float32Array {
  if (status !== 200) throw new Error(`Expected status 200, got ${status}: ${body.toString().slice(0, 300)}`);
  const { data } = JSON.parse(body.toString()) as { data: { index: number; embedding: string | number[] }[] };
  data.forEach(({ index }, i) => {
    if (index !== i) throw new Error(`Expected index ${i}, got ${index}.`);
  });
  const bytes = Buffer.concat(data.map(({ embedding }) => toBytes(embedding)));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function toBytes(embedding: string | number[]): Uint8Array {
  return typeof embedding === 'string'
    ? Buffer.from(embedding, 'base64')
    : new Uint8Array(Float32Array.from(embedding).buffer);
}
