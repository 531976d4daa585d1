import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const loadSeconds = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800]; // the download, where there is one, counts
const tokenCounts = [8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384];

/** Every metric once. `docs/metrics.md` lists the same names and a test compares the two both ways. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 }); // ms; at 10, its own, an idle server takes 1 % of a core
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram<L>({ name, help, labelNames, buckets, registers });
  return {
    registry,
    /** Called before each scrape: they set the gauges that nobody else would read. */
    beforeScrape: new Set<() => void>(),
    buildInfo: gauge('embeddings_build_info', 'Always 1; the labels say what runs', ['version', 'provider']),
    ready: gauge('embeddings_ready', '1 where requests may be sent, as /readyz says it, else 0', []),
    connections: gauge('embeddings_connections', 'Connections that clients have open', []),
    requests: counter('embeddings_requests_total', 'Embedding requests answered, by HTTP status', ['model', 'status']),
    requestErrors: counter(
      'embeddings_request_errors_total',
      'Embedding requests answered with an error, by its row in errors.md',
      ['model', 'code'],
    ),
    requestSeconds: histogram(
      'embeddings_request_seconds',
      'From the request read to the answer written',
      ['model'],
      seconds,
    ),
    requestsInFlight: gauge('embeddings_requests_in_flight', 'Embedding requests being worked on', []),
    inputs: counter('embeddings_inputs_total', 'Inputs embedded', ['model']),
    tokens: counter('embeddings_tokens_total', 'Tokens of embedded inputs, special tokens included', ['model']),
    truncatedInputs: counter('embeddings_truncated_inputs_total', 'Inputs cut to the length of the model', ['model']),
    dedupedInputs: counter(
      'embeddings_deduplicated_inputs_total',
      'Inputs answered by an identical one already in flight',
      ['model'],
    ),
    cancelledInputs: counter(
      'embeddings_cancelled_inputs_total',
      'Inputs dropped before they ran because the client left',
      ['model'],
    ),
    quarantinedInputs: counter(
      'embeddings_quarantined_inputs_total',
      'Inputs that stopped their runner twice and are refused for a while',
      ['model'],
    ),
    refused: counter(
      'embeddings_refused_total',
      'Requests refused under load: the queue was full (queue), their caller had its share of it (share), the wait would have been too long (wait) or was (late)',
      ['model', 'reason'],
    ),
    rateLimited: counter(
      'embeddings_rate_limited_total',
      'Requests over the limit of their caller, by what they had used up: requests or tokens',
      ['kind', 'caller'],
    ),
    droppedConnections: counter('embeddings_dropped_connections_total', 'Connections closed because of too many', []),
    bodyBytes: gauge('embeddings_body_bytes', 'Bytes of the bodies of requests in progress', []),
    cacheHits: counter('embeddings_cache_hits_total', 'Inputs answered out of the cache of results', ['model']),
    cacheMisses: counter('embeddings_cache_misses_total', 'Inputs that the cache of results did not hold', ['model']),
    cacheBytes: gauge('embeddings_cache_bytes', 'Memory of the cache of results in use', []),
    tokenizeSeconds: histogram('embeddings_tokenize_seconds', 'Tokenising one request', ['model'], seconds),
    queueSeconds: histogram('embeddings_queue_seconds', 'An input waiting for a runner', ['model'], seconds),
    runSeconds: histogram('embeddings_run_seconds', 'One batch in the engine', ['model'], seconds),
    encodeSeconds: histogram('embeddings_encode_seconds', 'Writing the vectors of one response', ['model'], seconds),
    queueTokens: gauge('embeddings_queue_tokens', 'Tokens that wait for a runner', ['model']),
    queueMaxTokens: gauge('embeddings_queue_max_tokens', 'Tokens of one model that may wait; more get 429', []),
    queueOldestSeconds: gauge('embeddings_queue_oldest_seconds', 'How long the oldest input of the queue has waited', [
      'model',
    ]),
    batchTokens: histogram('embeddings_batch_tokens', 'Tokens of one batch', ['model'], tokenCounts),
    batchInputs: histogram(
      'embeddings_batch_inputs',
      'Inputs of one batch',
      ['model'],
      [1, 2, 4, 8, 16, 32, 64, 128, 256],
    ),
    batchFillRatio: histogram(
      'embeddings_batch_fill_ratio',
      'Tokens of one batch over the token budget',
      ['model'],
      [0.1, 0.25, 0.5, 0.75, 0.9, 1],
    ),
    paddingTokens: counter('embeddings_padding_tokens_total', 'Positions attention computed beyond real tokens', [
      'model',
    ]),
    runners: gauge('embeddings_runners', 'Runner processes ready for work', ['model']),
    runnerRestarts: counter('embeddings_runner_restarts_total', 'Runner processes started again after a crash', [
      'model',
    ]),
    runnerResidentBytes: gauge(
      'embeddings_runner_resident_bytes',
      'Memory of the runners of a model; what they share of its files counts once',
      ['model'],
    ),
    modelsLoaded: gauge('embeddings_models_loaded', 'Models in memory', []),
    modelMemoryBytes: gauge('embeddings_model_memory_bytes', 'Memory a loaded model takes, at most', ['model']),
    modelMemoryMaxBytes: gauge('embeddings_model_memory_max_bytes', 'Memory that all loaded models may take', []),
    memoryLimitBytes: gauge('embeddings_memory_limit_bytes', 'Memory of the machine or the container', []),
    modelLoadSeconds: histogram('embeddings_model_load_seconds', 'Loading one model', ['model'], loadSeconds),
    modelLoadFailures: counter('embeddings_model_load_failures_total', 'Models that could not be loaded', ['model']),
    modelUnloads: counter(
      'embeddings_model_unloads_total',
      'Models unloaded: nobody used them (idle), another needed the place (room), or the allowlist changed',
      ['model', 'reason'],
    ),
    downloads: counter('embeddings_downloads_total', 'Downloads of models that have ended: done or failed', [
      'model',
      'outcome',
    ]),
    downloadedBytes: gauge('embeddings_download_done_bytes', 'Bytes of a download on its way that are here', ['model']),
    downloadBytes: gauge('embeddings_download_bytes', 'Bytes of a download on its way, all of them', ['model']),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
