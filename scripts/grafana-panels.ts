interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** One graph. */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  /** A big number instead of a graph. */
  readonly isNumber?: boolean;
}

const one = 'job=~"$job",instance=~"$instance"';
const ofModel = `${one},model=~"$model"`;

const query = (expr: string, legend: string): Query => ({ expr, legend });

const perSecond = (metric: string, by: string, labels = ofModel): string =>
  `sum by (${by}) (rate(${metric}{${labels}}[$__rate_interval]))`;

const percentile = (share: number, metric: string): string =>
  `histogram_quantile(${share}, sum by (le, model) (rate(${metric}_bucket{${ofModel}}[$__rate_interval])))`;

const mean = (metric: string): string =>
  `sum by (model) (rate(${metric}_sum{${ofModel}}[$__rate_interval])) / sum by (model) (rate(${metric}_count{${ofModel}}[$__rate_interval]))`;

const percentiles = (metric: string): readonly Query[] =>
  [0.5, 0.95, 0.99].map((share) => query(percentile(share, metric), `{{model}} p${share * 100}`));

/** What each row of the dashboard shows. */
export const rows: Readonly<Record<string, readonly Panel[]>> = {
  Traffic: [
    { title: 'Ready', unit: 'none', isNumber: true, queries: [query(`min(embeddings_ready{${one}})`, 'ready')] },
    {
      title: 'Requests by status',
      unit: 'reqps',
      queries: [query(perSecond('embeddings_requests_total', 'status'), '{{status}}')],
    },
    {
      title: 'Errors by code',
      unit: 'reqps',
      queries: [query(perSecond('embeddings_request_errors_total', 'code'), '{{code}}')],
    },
    { title: 'Tokens', unit: 'short', queries: [query(perSecond('embeddings_tokens_total', 'model'), '{{model}}')] },
    { title: 'Inputs', unit: 'short', queries: [query(perSecond('embeddings_inputs_total', 'model'), '{{model}}')] },
    {
      title: 'In flight and connections',
      unit: 'short',
      queries: [
        query(`sum(embeddings_requests_in_flight{${one}})`, 'requests'),
        query(`sum(embeddings_connections{${one}})`, 'connections'),
      ],
    },
  ],
  Latency: [
    { title: 'Request', unit: 's', queries: percentiles('embeddings_request_seconds') },
    { title: 'Waiting in the queue', unit: 's', queries: percentiles('embeddings_queue_seconds') },
    { title: 'One batch', unit: 's', queries: percentiles('embeddings_run_seconds') },
    {
      title: 'Tokenise and encode, 95th percentile',
      unit: 's',
      queries: [
        query(percentile(0.95, 'embeddings_tokenize_seconds'), '{{model}} tokenise'),
        query(percentile(0.95, 'embeddings_encode_seconds'), '{{model}} encode'),
      ],
    },
    {
      title: 'Event loop delay, 99th percentile',
      unit: 's',
      queries: [query(`nodejs_eventloop_lag_p99_seconds{${one}}`, '{{instance}}')],
    },
  ],
  Queue: [
    {
      title: 'Tokens that wait, and how many may',
      unit: 'short',
      queries: [
        query(`sum by (model) (embeddings_queue_tokens{${ofModel}})`, '{{model}}'),
        query(`max(embeddings_queue_max_tokens{${one}})`, 'bound of one server'),
      ],
    },
    {
      title: 'Oldest wait',
      unit: 's',
      queries: [query(`max by (model) (embeddings_queue_oldest_seconds{${ofModel}})`, '{{model}}')],
    },
    {
      title: 'Inputs not computed',
      unit: 'short',
      queries: [
        query(perSecond('embeddings_deduplicated_inputs_total', 'model'), '{{model}} identical in flight'),
        query(perSecond('embeddings_cache_hits_total', 'model'), '{{model}} out of the cache'),
        query(perSecond('embeddings_cancelled_inputs_total', 'model'), '{{model}} client left'),
      ],
    },
  ],
  Refusals: [
    {
      title: 'Refused under load, by reason',
      unit: 'reqps',
      queries: [query(perSecond('embeddings_refused_total', 'model, reason'), '{{model}} {{reason}}')],
    },
    {
      title: 'Over their limits, by caller',
      unit: 'reqps',
      queries: [
        query(
          `sum by (caller, kind) (rate(embeddings_rate_limited_total{${one}}[$__rate_interval]))`,
          '{{caller}} {{kind}}',
        ),
      ],
    },
    {
      title: 'Inputs in quarantine, and connections dropped, in an hour',
      unit: 'short',
      queries: [
        query(`sum by (model) (increase(embeddings_quarantined_inputs_total{${ofModel}}[1h]))`, '{{model}} inputs'),
        query(`sum(increase(embeddings_dropped_connections_total{${one}}[1h]))`, 'connections'),
      ],
    },
  ],
  Batches: [
    {
      title: 'Fill of batches',
      unit: 'percentunit',
      queries: [query(mean('embeddings_batch_fill_ratio'), '{{model}}')],
    },
    { title: 'Inputs of a batch', unit: 'short', queries: [query(mean('embeddings_batch_inputs'), '{{model}}')] },
    { title: 'Tokens of a batch', unit: 'short', queries: [query(mean('embeddings_batch_tokens'), '{{model}}')] },
    {
      title: 'Work lost to padding',
      unit: 'percentunit',
      queries: [
        query(
          `${perSecond('embeddings_padding_tokens_total', 'model')} / ${perSecond('embeddings_tokens_total', 'model')}`,
          '{{model}}',
        ),
      ],
    },
  ],
  Runners: [
    {
      title: 'Runners ready',
      unit: 'short',
      queries: [query(`sum by (model) (embeddings_runners{${ofModel}})`, '{{model}}')],
    },
    {
      title: 'Restarts in an hour',
      unit: 'short',
      queries: [query(`sum by (model) (increase(embeddings_runner_restarts_total{${ofModel}}[1h]))`, '{{model}}')],
    },
    {
      title: 'CPU of the server process',
      unit: 'percentunit',
      queries: [query(`rate(process_cpu_seconds_total{${one}}[$__rate_interval])`, '{{instance}}')],
    },
  ],
  Memory: [
    {
      title: 'In use',
      unit: 'bytes',
      queries: [
        query(`sum by (model) (embeddings_runner_resident_bytes{${ofModel}})`, 'runners of {{model}}'),
        query(`sum(process_resident_memory_bytes{${one}})`, 'servers'),
        query(`sum(embeddings_memory_limit_bytes{${one}})`, 'limit of machines or containers'),
      ],
    },
    {
      title: 'Planned for models',
      unit: 'bytes',
      queries: [
        query(`sum by (model) (embeddings_model_memory_bytes{${ofModel}})`, '{{model}}'),
        query(`sum(embeddings_model_memory_max_bytes{${one}})`, 'all models may take'),
      ],
    },
    { title: 'Cache of results', unit: 'bytes', queries: [query(`sum(embeddings_cache_bytes{${one}})`, 'in use')] },
  ],
  Models: [
    { title: 'Loaded', unit: 'short', queries: [query(`embeddings_models_loaded{${one}}`, '{{instance}}')] },
    {
      title: 'Loads, failures and unloads in an hour',
      unit: 'short',
      queries: [
        query(`sum by (model) (increase(embeddings_model_load_seconds_count{${ofModel}}[1h]))`, '{{model}} loaded'),
        query(`sum by (model) (increase(embeddings_model_load_failures_total{${ofModel}}[1h]))`, '{{model}} failed'),
        query(
          `sum by (model, reason) (increase(embeddings_model_unloads_total{${ofModel}}[1h]))`,
          '{{model}} unloaded: {{reason}}',
        ),
      ],
    },
    { title: 'Mean time of a load', unit: 's', queries: [query(mean('embeddings_model_load_seconds'), '{{model}}')] },
    {
      title: 'Downloads on their way',
      unit: 'percentunit',
      queries: [
        query(`embeddings_download_done_bytes{${ofModel}} / embeddings_download_bytes{${ofModel}}`, '{{model}}'),
      ],
    },
  ],
};
