import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Context, Link, Span, SpanContext, Tracer as OtelTracer } from '@opentelemetry/api';
import {
  getBooleanFromEnv,
  getStringFromEnv,
  setGlobalErrorHandler,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { EndedRequest, RequestSpan, StartedRequest, TracedBatch, Tracer } from './tracer.ts';

export interface TracerOptions {
  /** Takes OTLP over HTTP. */
  readonly url: string;
  readonly version: string;
  /** Told that spans could not be sent, at most once a minute. */
  readonly onLoss: (reason: string) => void;
}

const quietMs = 60_000; // between two words about a collector that does not answer
const closeMs = 2000; // for the last spans; a stop does not wait for a dead collector
const maxBatchLinks = 64; // from a request to its batches

/**
 * Spans by OpenTelemetry's own SDK, which reads its OTEL_* variables. They are sent in the background and dropped when its
 * queue is full. Undefined where those variables switch it off.
 */
export function createOtelTracer({ url, version, onLoss }: TracerOptions): Tracer | undefined {
  if (getBooleanFromEnv('OTEL_SDK_DISABLED') || getStringFromEnv('OTEL_TRACES_EXPORTER') === 'none') return undefined;
  setGlobalErrorHandler(toLossHandler(onLoss));
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'embeddings', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  const tracer = provider.getTracer('embeddings', version);
  const propagator = new W3CTraceContextPropagator();
  return {
    startRequest: (request) => {
      const parent = propagator.extract(ROOT_CONTEXT, request.headers, headerGetter);
      const span = tracer.startSpan(`${request.method} ${request.route}`, toSpanOptions(request), parent);
      return span.isRecording() ? new OtelRequestSpan(tracer, span) : undefined;
    },
    recordBatch: (batch) => recordBatch(tracer, batch),
    close: async () => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeMs);
      });
      await Promise.race([provider.shutdown().catch(toLossHandler(onLoss)), late]);
      clearTimeout(timer);
    },
  };
}

class OtelRequestSpan implements RequestSpan {
  readonly span: Span;
  readonly context: Context;
  readonly batches: SpanContext[] = [];
  readonly #tracer: OtelTracer;

  constructor(tracer: OtelTracer, span: Span) {
    this.#tracer = tracer;
    this.span = span;
    this.context = trace.setSpan(ROOT_CONTEXT, span);
  }

  get traceId(): string {
    return this.span.spanContext().traceId;
  }

  end({ endMs, status, caller, model, inputs, tokens, stages, code }: EndedRequest): void {
    for (const { name, startMs, endMs: stageEndMs } of stages) {
      const links: Link[] = name === 'run' ? this.batches.map((context) => ({ context })) : [];
      this.#tracer.startSpan(name, { startTime: toEpoch(startMs), links }, this.context).end(toEpoch(stageEndMs));
    }
    this.span.setAttributes({
      'http.response.status_code': status,
      'gen_ai.request.model': model,
      'gen_ai.usage.input_tokens': tokens,
      'embeddings.inputs': inputs,
      'embeddings.caller': caller,
      ...(code === undefined ? {} : { 'error.type': code }),
    });
    if (status >= 500) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end(toEpoch(endMs));
  }
}

/** A child of the first of its requests, so that it is sampled with it, and linked to all of them. */
function recordBatch(
  tracer: OtelTracer,
  { model, spans, startMs, endMs, tokens, inputs, hasFailed }: TracedBatch,
): void {
  const requests = spans.filter((span) => span instanceof OtelRequestSpan);
  const links = requests.map(({ span }) => ({ context: span.spanContext() }));
  const attributes: Attributes = {
    'gen_ai.request.model': model,
    'embeddings.batch.tokens': tokens,
    'embeddings.batch.inputs': inputs,
    'embeddings.batch.requests': requests.length,
  };
  const span = tracer.startSpan('batch', { startTime: toEpoch(startMs), links, attributes }, requests[0]?.context);
  for (const { batches } of requests) if (batches.length < maxBatchLinks) batches.push(span.spanContext());
  if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(toEpoch(endMs));
}

function toSpanOptions({ requestId, method, route, startMs }: StartedRequest) {
  return {
    kind: SpanKind.SERVER,
    startTime: toEpoch(startMs),
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'gen_ai.operation.name': 'embeddings',
      'embeddings.request_id': requestId,
    },
  };
}

const headerGetter = {
  keys: (headers: StartedRequest['headers']) => Object.keys(headers),
  get: (headers: StartedRequest['headers'], name: string) => {
    const value = headers[name];
    return typeof value === 'object' ? [...value] : value;
  },
};

function toEpoch(ms: number): number {
  return performance.timeOrigin + ms;
}

function toLossHandler(onLoss: (reason: string) => void): (error: unknown) => void {
  let saidMs = -Infinity;
  return (error) => {
    const now = performance.now();
    if (now - saidMs < quietMs) return;
    saidMs = now;
    onLoss(error instanceof Error ? error.message : String(error));
  };
}
