import type { Timeline } from '../tracing/timeline.ts';
import type { RequestSpan } from '../tracing/tracer.ts';

/** Where a request comes from, as far as the stages after parsing need to know it. */
export interface Origin {
  /** In logs of every process that works on the request. */
  readonly requestId: string;
  /** Callers of one name share what that name may use. */
  readonly caller: string;
  /** When its answer is of no use any more, on the clock of `performance.now()`; never when undefined. */
  readonly deadlineMs?: number | undefined;
  /** Where each stage writes when it was done. */
  readonly timeline?: Timeline | undefined;
  /** Only where it is traced. */
  readonly span?: RequestSpan | undefined;
  /** Called with the tokens before any is computed, and again for no request. @throws ServiceError where its caller may use no more */
  readonly admit?: ((tokens: number, model: string) => Promise<void>) | undefined;
}
