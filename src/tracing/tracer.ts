import type { Stage } from './timeline.ts';

/** Makes spans of requests and batches. There is none unless an address for traces is set. */
export interface Tracer {
  /** Undefined where the sampler leaves the request out: no stage does anything more for it. */
  startRequest(request: StartedRequest): RequestSpan | undefined;
  recordBatch(batch: TracedBatch): void;
  /** Sends what has not been sent, for a short time at most. */
  close(): Promise<void>;
}

export interface StartedRequest {
  /** Of which `traceparent` and `tracestate` are read. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly requestId: string;
  readonly method: string;
  readonly route: string;
  readonly startMs: number;
}

/** The span of one request until it ends. */
export interface RequestSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  end(request: EndedRequest): void;
}

export interface EndedRequest {
  readonly endMs: number;
  readonly status: number;
  readonly caller: string;
  readonly model: string;
  readonly inputs: number;
  readonly tokens: number;
  /** One child span each. */
  readonly stages: readonly Stage[];
  /** A row of `errors.ts`. */
  readonly code?: string | undefined;
}

/** One run of the engine; it works for several requests, and one request may need several. */
export interface TracedBatch {
  readonly model: string;
  readonly spans: readonly RequestSpan[];
  readonly startMs: number;
  readonly endMs: number;
  readonly tokens: number;
  readonly inputs: number;
  readonly hasFailed: boolean;
}
