import type { Logger } from 'pino';
import type { Certificate } from '../access/certificate.ts';
import type { Keys } from '../access/key-ring.ts';
import type { Config } from '../config.ts';
import type { Embed } from '../embed.ts';
import type { ServiceError } from '../errors.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Catalog } from '../models/model-card.ts';
import type { Origin } from '../request/origin.ts';
import type { Tracer } from '../tracing/tracer.ts';

/** Everything the HTTP layer needs; it knows no model, engine or scheduler. */
export interface HttpDeps {
  readonly config: Config;
  readonly embed: Embed;
  readonly catalog: Catalog;
  /** None: nobody is limited. */
  readonly limits?: RateLimits;
  /** Why a request with a body of so many bytes would be refused now; undefined where it might not. */
  readonly refuseEarly?: (model: string, bytes: number, origin: Origin) => ServiceError | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Undefined: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly health: () => Health;
  /** Whether the server is about to stop: then each answer ends its connection. */
  readonly isDraining?: () => boolean;
  /** The body of `GET /info`. */
  readonly info: () => Readonly<Record<string, unknown>>;
  readonly version: string;
  /** Undefined where the server is open. */
  readonly keys?: Keys | undefined;
  /** With it the server speaks https. */
  readonly certificate?: Certificate | undefined;
}

interface Health {
  /** False: restart this process. */
  readonly live: boolean;
  /** False: send no traffic yet. */
  readonly ready: boolean;
  readonly detail: Readonly<Record<string, unknown>>;
}
