import { setImmediate } from 'node:timers/promises';
import type { EmbedResult } from '../embed.ts';
import type { EncodingFormat } from '../request/embed-request.ts';
import { base64Bytes, writeBase64 } from '../vectors/write-base64.ts';
import { floatJsonBytes, writeFloatJson } from '../vectors/write-float-json.ts';

/** What one answer is made of. */
export interface EmbedAnswer {
  readonly model: string;
  readonly encodingFormat: EncodingFormat;
  readonly result: EmbedResult;
}

/** The body of `POST /v1/embeddings` as one buffer. Large ones are written in slices, so that others get their turn. */
export async function writeEmbedResponse({ model, encodingFormat, result }: EmbedAnswer): Promise<Buffer> {
  const { vectors, promptTokens } = result;
  const { data, rows, dim } = vectors;
  const write = encodingFormat === 'float' ? writeFloatJson : writeBase64;
  const rowBytes = encodingFormat === 'float' ? floatJsonBytes(dim) : base64Bytes(dim);
  const open = encodingFormat === 'float' ? '[' : '"';
  const close = encodingFormat === 'float' ? ']}' : '"}';
  const usage = `{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens}}`;
  const tail = `],"model":${JSON.stringify(model)},"usage":${usage}}`;
  const out = Buffer.allocUnsafe(rows * (rowBytes + frameBytes) + Buffer.byteLength(tail) + frameBytes);

  let at = out.write('{"object":"list","data":[', 0, 'latin1');
  let pause = floatsPerTurn;
  for (let row = 0; row < rows; row++) {
    const comma = row === 0 ? '' : ',';
    at += out.write(`${comma}{"object":"embedding","index":${row},"embedding":${open}`, at, 'latin1');
    at = write(data.subarray(row * dim, (row + 1) * dim), out, at, `input[${row}]`);
    at += out.write(close, at, 'latin1');
    pause -= dim;
    if (pause > 0) continue;
    pause = floatsPerTurn;
    await setImmediate();
  }
  at += out.write(tail, at, 'utf8');
  return out.subarray(0, at);
}

const frameBytes = 96; // the longest text around one vector, and the head of the whole, with room to spare
const floatsPerTurn = 32_768; // about 1.5 ms of work
