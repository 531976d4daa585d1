import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { tokenIdRules, type TokenIds } from './util/token-ids.ts';
import {
  boolean,
  bytes,
  duration,
  fraction,
  integer,
  list,
  listOrNone,
  oneOf,
  someOf,
  path,
  port,
  proxy,
  redis,
  text,
  url,
  type Parser,
} from './util/parse-setting.ts';

/** Where a value came from, strongest last. */
export type Source = 'default' | '.env' | 'environment' | 'flag';

interface Setting<T> extends Parser<T> {
  readonly env: string;
  readonly help: string;
  readonly fallback: T;
  /** Says the default where the value itself says it badly. */
  readonly fallbackText?: string;
  /** Never printed. */
  readonly secret?: boolean;
}

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** The models that come with the package, as `<org>/<name>/` folders. */
export const bundledModelsDir: string = join(packageRoot, 'models');

const hfHome = join(homedir(), '.cache/huggingface');

type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** Groups of routes that may need no key where there are keys. */
export type PublicGroup = 'docs' | 'metrics' | 'health';
const publicGroups: readonly PublicGroup[] = ['docs', 'metrics', 'health'];

/** One row per setting. The flag is the key in kebab-case: `maxBatchSize` is `--max-batch-size`. */
// oxfmt-ignore
export const settings = {
  host: row('EMBEDDINGS_HOST', 'address to listen on; 0.0.0.0 for every network interface', 'localhost', text),
  port: row('EMBEDDINGS_PORT', 'port to listen on; 0 picks a free one', 11445, port),
  apiKeys: { ...row('EMBEDDINGS_API_KEYS', 'comma-separated keys, one of which every /v1 request must send; with neither these nor a file of keys the server is open', [] as readonly string[], list), secret: true },
  apiKeysFile: row<string | undefined>('EMBEDDINGS_API_KEYS_FILE', 'file of keys with names, models and limits, made by `embeddings keys create`; followed', undefined, path),
  publicRoutes: row('EMBEDDINGS_PUBLIC_ROUTES', 'which of docs, metrics and health need no key where there are keys, or none', publicGroups, () => someOf(...publicGroups)),
  tlsCert: row<string | undefined>('EMBEDDINGS_TLS_CERT', 'PEM file with the certificate and its chain: serve https; followed', undefined, path),
  tlsKey: row<string | undefined>('EMBEDDINGS_TLS_KEY', 'PEM file with the private key of the certificate', undefined, path),
  tlsClientCa: row<string | undefined>('EMBEDDINGS_TLS_CLIENT_CA', 'PEM file with the authorities of which every client must have a certificate', undefined, path),
  socket: row<string | undefined>('EMBEDDINGS_SOCKET', 'unix socket to listen on instead of host and port', undefined, path),
  corsOrigins: row('EMBEDDINGS_CORS_ORIGINS', 'comma-separated origins whose pages may call this server; * for all', ['*'] as readonly string[], list),

  supportedModels: { ...row('EMBEDDINGS_SUPPORTED_MODELS', 'the allowlist file', join(packageRoot, 'supported_models.txt'), path), fallbackText: 'supported_models.txt of the package' },
  modelsDir: row<string | undefined>('EMBEDDINGS_MODELS_DIR', 'folder with <org>/<name>/ model folders, looked at first', undefined, path),
  hfHubCache: { ...row('HF_HUB_CACHE', 'Hugging Face cache folder; follows HF_HOME and XDG_CACHE_HOME when not set', join(hfHome, 'hub'), path), fallbackText: '~/.cache/huggingface/hub' },
  hfToken: { ...row<string | undefined>('HF_TOKEN', 'Hugging Face access token for gated and private models', undefined, text), secret: true },
  hfTokenPath: { ...row('HF_TOKEN_PATH', 'file with that token, read where HF_TOKEN is not set; follows HF_HOME and XDG_CACHE_HOME', join(hfHome, 'token'), path), fallbackText: '~/.cache/huggingface/token' },
  hfEndpoint: row('HF_ENDPOINT', 'the hub, or a mirror of it', 'https://huggingface.co', url),
  hfHubOffline: row('HF_HUB_OFFLINE', 'never use the network: only models that are on this machine', false, boolean),
  httpsProxy: { ...row<string | undefined>('HTTPS_PROXY', 'proxy for downloads over https', undefined, proxy), secret: true },
  httpProxy: { ...row<string | undefined>('HTTP_PROXY', 'proxy for downloads over http', undefined, proxy), secret: true },
  directHosts: row<string | undefined>('NO_PROXY', 'comma-separated hosts reached without the proxy', undefined, text),
  lockFile: { ...row<string | undefined>('EMBEDDINGS_LOCK_FILE', 'commits and checksums that models are held to; written by `embeddings pull --lock`', undefined, path), fallbackText: 'the allowlist with .lock instead of .txt, where there is one' },
  preload: { ...row<readonly string[] | undefined>('EMBEDDINGS_PRELOAD', 'comma-separated models loaded at start, or none', undefined, listOrNone), fallbackText: 'the only model on this machine' },
  maxLoadedModels: row('EMBEDDINGS_MAX_LOADED_MODELS', 'models kept in memory at once', 4, integer(1, 10_000)),
  maxModelMemory: { ...row<number | undefined>('EMBEDDINGS_MAX_MODEL_MEMORY', 'memory of all loaded models together, such as 8GB; the longest unused are unloaded for another', undefined, bytes), fallbackText: 'four fifths of the memory of the machine or container' },
  keepAlive: { ...row<number | undefined>('EMBEDDINGS_KEEP_ALIVE', 'unload a model that nobody used for this long, such as 5m', undefined, duration), fallbackText: 'never' },
  loadWaitSeconds: row('EMBEDDINGS_LOAD_WAIT_SECONDS', 'how long a request waits for its model to be downloaded and loaded before it gets 503', 30, integer(0, 3600)),

  device: row<'auto' | 'cpu' | 'cuda'>('EMBEDDINGS_DEVICE', 'auto, cpu or cuda', 'auto', oneOf('auto', 'cpu', 'cuda')),
  cudaMemoryFraction: row<number | undefined>('EMBEDDINGS_CUDA_MEMORY_FRACTION', 'share of the GPU memory to use, 0 to 1; not built yet, refused on a GPU', undefined, fraction),
  bitsandbytes: row<'8bit' | '4bit' | undefined>('EMBEDDINGS_BITSANDBYTES', 'quantised weights for speed (8bit) or size (4bit); dtype= on a line of the allowlist wins', undefined, oneOf('8bit', '4bit')),
  replicas: row<number | undefined>('EMBEDDINGS_REPLICAS', 'runner processes of one model; chosen from cores and model size when not set', undefined, integer(1, 256)),
  threads: row<number | undefined>('EMBEDDINGS_THREADS', 'threads of one runner; chosen from cores and model size when not set', undefined, integer(1, 1024)),
  pooling: row<'mean' | 'model'>('EMBEDDINGS_POOLING', 'mean, or model to follow the sentence-transformers files of each model', 'mean', oneOf('mean', 'model')),
  tokenIds: row<TokenIds>('EMBEDDINGS_TOKEN_IDS', 'what token ids in requests are: model (of its own tokenizer), tiktoken (cl100k_base, as LangChain sends them), o200k_base, or reject', 'model', oneOf(...tokenIdRules)),
  renormalize: row('EMBEDDINGS_RENORMALIZE', 'make vectors shortened by `dimensions` unit length again', false, boolean),
  resultCache: { ...row<number | undefined>('EMBEDDINGS_RESULT_CACHE', 'memory for vectors of inputs that were embedded before, such as 256MB', undefined, bytes), fallbackText: 'none' },

  maxBatchSize: row('EMBEDDINGS_MAX_BATCH_SIZE', 'inputs of one request at most', 2048, integer(1, 1_000_000)),
  maxRequestTokens: row('EMBEDDINGS_MAX_REQUEST_TOKENS', 'tokens of one request at most', 300_000, integer(1, 1_000_000_000)),
  maxInputTokens: row<number | undefined>('EMBEDDINGS_MAX_INPUT_TOKENS', 'tokens of one input at most; the model decides when not set', undefined, integer(1, 1_000_000)),
  maxInputCharacters: row('EMBEDDINGS_MAX_INPUT_CHARACTERS', 'characters of one input at most, checked before tokenising', 1_000_000, integer(1, 1_000_000_000)),
  truncateInputs: row('EMBEDDINGS_TRUNCATE_INPUTS', 'cut inputs that are too long instead of answering 400', false, boolean),
  maxBodyBytes: row('EMBEDDINGS_MAX_BODY_BYTES', 'bytes of one request body at most', 64 * 1024 * 1024, integer(1024, 2 ** 31)),
  maxQueueTokens: row('EMBEDDINGS_MAX_QUEUE_TOKENS', 'tokens of one model that may wait before requests get 429', 1_200_000, integer(1, 1_000_000_000)),
  maxWait: { ...row<number | undefined>('EMBEDDINGS_MAX_WAIT', 'how long a request may take from its arrival to its answer, such as 30s; it is refused at once where the queue is longer', undefined, duration), fallbackText: 'as long as its client waits' },
  requestsPerMinute: { ...row<number | undefined>('EMBEDDINGS_REQUESTS_PER_MINUTE', 'embedding requests a minute of one key, or of one client address where there are no keys', undefined, integer(1, 1_000_000_000)), fallbackText: 'no limit' },
  tokensPerMinute: { ...row<number | undefined>('EMBEDDINGS_TOKENS_PER_MINUTE', 'tokens a minute of one key, or of one client address where there are no keys', undefined, integer(1, 1_000_000_000)), fallbackText: 'no limit' },
  redisUrl: { ...row<string | undefined>('EMBEDDINGS_REDIS_URL', 'Redis in which several servers count requests and tokens together, such as redis://host:6379', undefined, redis), fallbackText: 'each server counts for itself', secret: true },
  maxBodiesBytes: row('EMBEDDINGS_MAX_BODIES_BYTES', 'bytes of the bodies of all requests in progress at most', 256 * 1024 * 1024, integer(1024, 2 ** 40)),
  maxConnections: { ...row<number | undefined>('EMBEDDINGS_MAX_CONNECTIONS', 'connections at most; more are closed at once', undefined, integer(1, 1_000_000)), fallbackText: '10000, or 256 fewer than files may be open' },
  maxBatchTokens: row<number | undefined>('EMBEDDINGS_MAX_BATCH_TOKENS', 'tokens one run of the engine takes at most; the engine decides when not set', undefined, integer(1, 1_000_000)),
  strictParameters: row('EMBEDDINGS_STRICT_PARAMETERS', 'answer 400 to request fields that are not known instead of ignoring them', false, boolean),

  logLevel: row<LogLevel>('EMBEDDINGS_LOG_LEVEL', 'fatal, error, warn, info, debug, trace or silent', 'info', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')),
  slowRequest: { ...row<number | undefined>('EMBEDDINGS_SLOW_REQUEST', 'log a request that takes longer, such as 2s, as a warning with those it shared batches with', undefined, duration), fallbackText: 'never' },
  otlpEndpoint: row<string | undefined>('OTEL_EXPORTER_OTLP_ENDPOINT', 'where traces are sent, such as http://localhost:4318; none: nothing is traced', undefined, url),
  otlpTracesEndpoint: row<string | undefined>('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'the whole address for traces, instead', undefined, url),
  drainSeconds: row('EMBEDDINGS_DRAIN_SECONDS', 'how long a stop goes on serving, not ready, before it takes no new connections', 0, integer(0, 3600)),
  shutdownSeconds: row('EMBEDDINGS_SHUTDOWN_SECONDS', 'how long a stop waits for requests in flight', 30, integer(0, 3600)),
};

export type SettingName = keyof typeof settings;
export type Config = { readonly [K in SettingName]: (typeof settings)[K]['fallback'] };

/** The values in force and where each came from. */
export interface LoadedConfig {
  readonly config: Config;
  readonly sources: Readonly<Record<SettingName, Source>>;
  /** `EMBEDDINGS_*` variables that are set but are no setting: most likely typing errors. */
  readonly unknown: readonly string[];
}

export interface ConfigInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values of command-line flags as typed, by setting name. */
  readonly flags?: Partial<Record<SettingName, string>>;
  /** Path of the `.env` file; a missing file is fine. */
  readonly envFile?: string;
}

/** Thrown for values that cannot be parsed; names every bad one at once, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Merges defaults < .env < environment < flags. @throws ConfigError */
export function loadConfig({ env, flags = {}, envFile = '.env' }: ConfigInput): LoadedConfig {
  const fileEnv = readEnvFile(envFile);
  const lookUp = (variable: string): Found | undefined =>
    firstSet(['environment', env[variable]], ['.env', fileEnv[variable]]);
  const config: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  const problems: string[] = [];
  for (const name of settingNames()) {
    const setting: Setting<unknown> = settings[name];
    let found = firstSet(['flag', flags[name]]) ?? lookUp(setting.env);
    found ??= inherit(name, lookUp);
    sources[name] = found?.source ?? 'default';
    try {
      config[name] = found === undefined ? setting.fallback : setting.parse(found.value);
    } catch (error) {
      const got =
        setting.secret === true ? 'the value given' : JSON.stringify(found?.value.replace(/\/\/[^/@]*@/, '//...@')); // an address may hold a password
      problems.push(`${setting.env} (${toFlag(name)}, from ${sources[name]}): ${(error as Error).message}, got ${got}`);
    }
    if (Array.isArray(config[name])) Object.freeze(config[name]);
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  // The casts hold because the loop above wrote every name.
  return {
    config: Object.freeze(config) as Config,
    sources: Object.freeze(sources) as Record<SettingName, Source>,
    unknown: unknownVariables({ ...fileEnv, ...env }),
  };
}

/** Every setting, in the order of the table. */
export function settingNames(): readonly SettingName[] {
  return Object.keys(settings) as SettingName[]; // the keys of a literal that nobody extends
}

/** `maxBatchSize` -> `--max-batch-size` */
export function toFlag(name: SettingName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

interface Found {
  readonly source: Source;
  readonly value: string;
}

function readEnvFile(envFile: string): Record<string, string | undefined> {
  if (!existsSync(envFile)) return {};
  try {
    return parseEnv(readFileSync(envFile, 'utf8').replace(/^\uFEFF/, '')); // editors on Windows write a byte order mark
  } catch (error) {
    throw new ConfigError(`Expected a readable file at ${resolve(envFile)}: ${(error as Error).message}`);
  }
}

/** An empty value means "not set", as compose files pass unset variables. */
function firstSet(...candidates: readonly (readonly [Source, string | undefined])[]): Found | undefined {
  for (const [source, value] of candidates) {
    if (value !== undefined && value.trim() !== '') return { source, value: value.trim() };
  }
  return undefined;
}

/** Other variables that say a setting where its own is not set, strongest first, and what they mean for it. */
const inherited: Partial<Record<SettingName, readonly (readonly [variable: string, below: string])[]>> = {
  // As Python's hub library does it.
  hfHubCache: [
    ['HUGGINGFACE_HUB_CACHE', '.'],
    ['HF_HOME', 'hub'],
    ['XDG_CACHE_HOME', 'huggingface/hub'],
  ],
  hfTokenPath: [
    ['HF_HOME', 'token'],
    ['XDG_CACHE_HOME', 'huggingface/token'],
  ],
  hfToken: [['HUGGING_FACE_HUB_TOKEN', '']],
  httpsProxy: [['https_proxy', '']],
  httpProxy: [['http_proxy', '']],
  directHosts: [['no_proxy', '']],
};

function inherit(name: SettingName, lookUp: (variable: string) => Found | undefined): Found | undefined {
  for (const [variable, below] of inherited[name] ?? []) {
    const found = lookUp(variable);
    if (found !== undefined) return { ...found, value: below === '' ? found.value : join(found.value, below) };
  }
  return undefined;
}

/** Kubernetes sets `EMBEDDINGS_SERVICE_*` and `EMBEDDINGS_PORT_*` for a Service called embeddings: those are no typing errors. */
function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set(settingNames().map((name) => settings[name].env));
  const isForeign = (name: string) => /^EMBEDDINGS_(SERVICE|PORT)_/.test(name);
  return Object.keys(env).filter((name) => name.startsWith('EMBEDDINGS_') && !known.has(name) && !isForeign(name));
}

function row<T>(env: string, help: string, fallback: T, parser: (() => Parser<T>) | Parser<T>): Setting<T> {
  return { env, help, fallback, ...(typeof parser === 'function' ? parser() : parser) };
}
