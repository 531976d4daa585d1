import type { TracerOptions } from './otel-tracer.ts';
import type { Tracer } from './tracer.ts';

export interface OpenTracerOptions extends Omit<TracerOptions, 'url'> {
  /** Where the signals of OpenTelemetry go; traces below it. */
  readonly otlpEndpoint: string | undefined;
  /** Where traces go, instead. */
  readonly otlpTracesEndpoint: string | undefined;
}

/** The tracer where an address for traces is set; else its libraries are not even loaded. */
export async function openTracer(options: OpenTracerOptions): Promise<Tracer | undefined> {
  const { otlpEndpoint, otlpTracesEndpoint } = options;
  const url = otlpTracesEndpoint ?? (otlpEndpoint === undefined ? undefined : `${otlpEndpoint}/v1/traces`);
  if (url === undefined) return undefined;
  const { createOtelTracer } = await import('./otel-tracer.ts');
  return createOtelTracer({ ...options, url });
}
