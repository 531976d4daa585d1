import { base64Bytes, writeBase64 } from '../vectors/write-base64.ts';
import { floatJsonBytes, writeFloatJson } from '../vectors/write-float-json.ts';
import type { Vectors } from '../vectors/vectors.ts';

export const outputFormats = ['json', 'base64', 'ndjson'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface OutputSummary {
  readonly model: string;
  readonly promptTokens: number;
}

/** How one format writes: the object of the API, one vector a line, or one JSON object a line. */
export interface VectorFormat {
  readonly opening: string;
  /** Rows of one chunk whose first text has index `start`. @throws ServiceError `non_finite_output` */
  readonly rows: (vectors: Vectors, start: number) => Uint8Array;
  readonly closing: (summary: OutputSummary) => string;
}

export const vectorFormats: Readonly<Record<OutputFormat, VectorFormat>> = {
  json: {
    opening: '{"object":"list","data":[',
    rows: (vectors, start) =>
      writeRows(vectors, { start, before: (index) => `${index > 0 ? ',' : ''}${objectStart(index)}`, after: ']}' }),
    closing: ({ model, promptTokens }) =>
      `],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${promptTokens},"total_tokens":${promptTokens}}}\n`,
  },
  ndjson: {
    opening: '',
    rows: (vectors, start) => writeRows(vectors, { start, before: objectStart, after: ']}\n' }),
    closing: () => '',
  },
  base64: {
    opening: '',
    rows: (vectors, start) => writeRows(vectors, { start, before: () => '', after: '\n', isBase64: true }),
    closing: () => '',
  },
};

function objectStart(index: number): string {
  return `{"object":"embedding","index":${index},"embedding":[`;
}

interface RowWriter {
  readonly start: number;
  readonly before: (index: number) => string;
  readonly after: string;
  readonly isBase64?: boolean;
}

function writeRows({ data, rows, dim }: Vectors, { start, before, after, isBase64 = false }: RowWriter): Uint8Array {
  const roomOfText = 100; // `before` and `after` together, with an index of up to 16 digits
  const out = Buffer.allocUnsafe(rows * (roomOfText + (isBase64 ? base64Bytes(dim) : floatJsonBytes(dim))));
  const write = isBase64 ? writeBase64 : writeFloatJson;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    at += out.write(before(start + row), at, 'latin1');
    at = write(data.subarray(row * dim, (row + 1) * dim), out, at, `input[${row}]`);
    at += out.write(after, at, 'latin1');
  }
  return out.subarray(0, at);
}
