import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Collected {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly Collected[];
  /** Attributes of the resource, such as the name of the service. */
  readonly resource: ReadonlyMap<string, unknown>;
  readonly headers: readonly Record<string, unknown>[];
  close(): void;
}

interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Collected['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Collected[] }[];
  }[];
}

/** Takes OTLP over HTTP as JSON; `answers: false` never answers, as a collector that hangs. */
export async function startCollector({ answers = true } = {}): Promise<Collector> {
  const spans: Collected[] = [];
  const resource = new Map<string, unknown>();
  const headers: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      headers.push({ ...request.headers, path: request.url });
      if (!answers) return;
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Body;
      for (const { resource: about, scopeSpans } of resourceSpans) {
        for (const { key, value } of about.attributes) resource.set(key, Object.values(value)[0]);
        spans.push(...scopeSpans.flatMap((scope) => scope.spans));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, spans, resource, headers, close };
}
