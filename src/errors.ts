/**
 * Every error a user can see: one row per code, with its HTTP status, its OpenAI `type` and a message template.
 * `docs/errors.md` lists the same rows and a test compares the two both ways.
 */

interface ErrorRow {
  readonly status: number;
  readonly type: string;
  /** `{name}` is replaced by the detail of that name. */
  readonly message: string;
  /** OpenAI's `code` where it differs from the row's key; `null` where OpenAI sends none. */
  readonly code?: string | null;
  /** Tells OpenAI SDKs whether sending the same request again can help (`x-should-retry`). */
  readonly retry?: boolean;
}

// oxfmt-ignore
export const errorTable = {
  // 400: what the caller can mend
  invalid_json: { status: 400, type: 'invalid_request_error', code: null, message: 'We could not parse the JSON body of your request: {reason}. Send a JSON object such as {"model": "...", "input": "..."}.' },
  invalid_http: { status: 400, type: 'invalid_request_error', message: 'The request is not valid HTTP: {reason}.' },
  missing_parameter: { status: 400, type: 'invalid_request_error', message: "Missing required parameter: '{param}'." },
  invalid_type: { status: 400, type: 'invalid_request_error', message: "Invalid type for '{param}': expected {expected}, but got {got} instead." },
  invalid_value: { status: 400, type: 'invalid_request_error', code: null, message: "Invalid value for '{param}' = {got}. {expected}" },
  invalid_input: { status: 400, type: 'invalid_request_error', code: null, message: "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference. {reason}" },
  unknown_parameter: { status: 400, type: 'invalid_request_error', message: 'Unrecognized request argument supplied: {param}' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error', code: null, message: "This model's maximum context length is {max} tokens, however you requested {got} tokens ({got} in your prompt; 0 for the completion). Please reduce your prompt; or completion length." },
  max_tokens_per_request: { status: 400, type: 'max_tokens_per_request', message: 'Requested {got} tokens, max {max} tokens per request' },
  input_too_large: { status: 400, type: 'invalid_request_error', message: 'Expected at most {max} characters in one input, got {got}. Split the text before sending it.' },
  token_id_out_of_range: { status: 400, type: 'invalid_request_error', message: 'Expected token ids of this model, 0 to {max}, got {got} at position {position}. Most likely these are ids of OpenAI\'s tokenizer, which LangChain sends by default: set check_embedding_ctx_length=False there, or have token_ids=tiktoken put on the line of this model in supported_models.txt. Else send text, or ids made with the tokenizer of this model.' },
  token_ids_rejected: { status: 400, type: 'invalid_request_error', message: 'Expected text, got token ids, which this server does not take for this model (token_ids=reject). Send the text itself (in LangChain: check_embedding_ctx_length=False).' },
  tiktoken_id_unknown: { status: 400, type: 'invalid_request_error', message: 'Expected token ids of {encoding}, as which this server reads those for this model (token_ids=), got {got} at position {position}, which is none. Send text, or ids made with that encoding.' },
  // 401, 404, 405, 408, 413, 415, 422, 431
  invalid_api_key: { status: 401, type: 'invalid_request_error', message: 'Incorrect API key provided. Send one of the keys of this server as "Authorization: Bearer KEY" or "api-key: KEY".' },
  expired_api_key: { status: 401, type: 'invalid_request_error', message: 'The API key provided has expired. Ask the administrator of this server for a new one.', code: 'invalid_api_key' },
  page_needs_key: { status: 401, type: 'invalid_request_error', message: 'This page needs an API key, and a browser does not send one by itself. Fetch it with a client that sends "Authorization: Bearer KEY", or reach it through a proxy that adds this header. An administrator opens it to everybody with docs in EMBEDDINGS_PUBLIC_ROUTES.', code: 'invalid_api_key' },
  model_not_found: { status: 404, type: 'invalid_request_error', message: 'The model `{model}` does not exist or you do not have access to it. GET /v1/models lists the models of this server; an administrator adds one as a line of supported_models.txt.' },
  unknown_url: { status: 404, type: 'invalid_request_error', message: 'Unknown request URL: {method} {url}. Please check the URL for typos; GET /docs lists every route.' },
  method_not_supported: { status: 405, type: 'invalid_request_error', message: 'Not allowed to {method} on {url}. Allowed: {allowed}.' },
  request_timeout: { status: 408, type: 'invalid_request_error', message: 'The request did not arrive completely within {seconds} s, or stopped arriving.' },
  body_too_large: { status: 413, type: 'invalid_request_error', message: 'Expected a request body of at most {max} bytes. Send fewer inputs in one request.' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error', message: 'Expected a body with the header "Content-Type: application/json", got {got}.' },
  input_quarantined: { status: 422, type: 'invalid_request_error', message: 'This input is refused for the next {seconds} s: the process that runs `{model}` stopped twice while it worked on it. Send the other inputs without it; an administrator finds in the log how the process ended.', retry: false },
  headers_too_large: { status: 431, type: 'invalid_request_error', message: 'The headers of the request are too large. Expected at most 16 KB of them.' },
  client_closed_request: { status: 499, type: 'invalid_request_error', message: 'The client closed the connection before the answer was ready.', retry: false },
  // 429, 500, 501, 503: what the server must mend, or time does
  server_overloaded: { status: 429, type: 'tokens', message: 'The queue is full: {queued} tokens wait, at most {max} may. Try again in {retryAfterSeconds} s.', code: 'rate_limit_exceeded', retry: true },
  queue_share_exceeded: { status: 429, type: 'tokens', message: 'The queue is busy: {mine} of your tokens wait in it, and no caller may have more there than are left free for others, {free} now. Try again in {retryAfterSeconds} s.', code: 'rate_limit_exceeded', retry: true },
  wait_too_long: { status: 429, type: 'tokens', message: 'The answer would take about {seconds} s at the present load, and the request may wait {allowed} s. Try again in {retryAfterSeconds} s.', code: 'rate_limit_exceeded', retry: true },
  requests_limit_reached: { status: 429, type: 'requests', message: 'Rate limit reached for {caller} on requests per min (RPM): Limit {limit}, Used {used}, Requested 1. Please try again in {after}.', code: 'rate_limit_exceeded', retry: true },
  tokens_limit_reached: { status: 429, type: 'tokens', message: 'Rate limit reached for {model} in organization {caller} on tokens per min (TPM): Limit {limit}, Used {used}, Requested {requested}. Please try again in {after}.', code: 'rate_limit_exceeded', retry: true },
  request_over_limit: { status: 429, type: 'tokens', message: 'Request too large for {model} in organization {caller} on tokens per min (TPM): Limit {limit}, Requested {requested}. It will never fit: send fewer inputs in one request.', code: 'rate_limit_exceeded', retry: false },
  internal_error: { status: 500, type: 'server_error', message: 'The server had an error while processing your request. The log of this server has the details under the request id {requestId}.' },
  non_finite_output: { status: 500, type: 'server_error', message: 'The model gave a vector with NaN or infinite values for this input. This happens when a model overflows its number format; use dtype=float32.', retry: false },
  architecture_not_supported: { status: 501, type: 'not_implemented_error', message: 'The model `{model}` is allowed but its architecture is not built yet: {reason}.', retry: false },
  model_not_downloaded: { status: 501, type: 'not_implemented_error', message: 'The model `{model}` is allowed but its files are not on this machine, and HF_HUB_OFFLINE is set. Looked in: {places}. Run `embeddings pull {model}` where there is a network, or bring the files with `embeddings export` and `embeddings import`.', retry: false },
  download_failed: { status: 502, type: 'server_error', message: 'The model `{model}` could not be downloaded: {reason}', retry: false },
  download_interrupted: { status: 503, type: 'server_error', message: 'The model `{model}` could not be downloaded yet: {reason} Try again in {retryAfterSeconds} s; what has arrived is kept.', retry: true },
  model_broken: { status: 500, type: 'server_error', message: 'The model `{model}` could not be loaded: {reason}', retry: false },
  model_too_large: { status: 500, type: 'server_error', message: 'The model `{model}` needs about {needed} of memory, {max} are allowed (EMBEDDINGS_MAX_MODEL_MEMORY).', retry: false },
  model_loading: { status: 503, type: 'server_error', message: 'The model `{model}` is not ready yet: {doing}. Try again in {retryAfterSeconds} s.', retry: true },
  pinned_models: { status: 503, type: 'server_error', message: 'There is no room in memory for `{model}` beside the pinned models ({held}). Take pin=true from one of them, or raise EMBEDDINGS_MAX_LOADED_MODELS or EMBEDDINGS_MAX_MODEL_MEMORY.', retry: false },
  model_limit_reached: { status: 503, type: 'server_error', message: 'There is no room in memory for `{model}`: the models there are busy ({held}). Try again in {retryAfterSeconds} s.', retry: true },
  runner_crashed: { status: 503, type: 'server_error', message: 'The process that runs `{model}` stopped ({reason}) while it worked on this request; it is being restarted. Try again in {retryAfterSeconds} s.', retry: true },
  deadline_exceeded: { status: 503, type: 'server_error', message: 'The request waited for as long as it may and was not computed. Try again in {retryAfterSeconds} s.', retry: true },
  server_busy: { status: 503, type: 'server_error', message: 'The bodies of the requests in progress have {held} bytes together, at most {max} may (EMBEDDINGS_MAX_BODIES_BYTES). Try again in {retryAfterSeconds} s.', retry: true },
  shutting_down: { status: 503, type: 'server_error', message: 'The server is shutting down. Try again in {retryAfterSeconds} s.', retry: true },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export type ErrorDetails = Readonly<Record<string, string | number>> & {
  /** The request parameter at fault, such as `input[17]`. */
  readonly param?: string;
  /** Seconds after which a retry makes sense; sent as `Retry-After`. */
  readonly retryAfterSeconds?: number;
};

/** The four keys of OpenAI's error object. */
export interface OpenAIError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** An error that a caller may see. Everything else becomes `internal_error` at the edge and leaks nothing. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(fillTemplate(errorTable[code].message, details), options);
    this.name = 'ServiceError';
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return errorTable[this.code].status;
  }

  /** Whether the same request may succeed later; undefined leaves it to the SDK's own rule for the status. */
  get retry(): boolean | undefined {
    const row: ErrorRow = errorTable[this.code];
    return row.retry;
  }

  toOpenAI(): OpenAIError {
    const row: ErrorRow = errorTable[this.code];
    const code = row.code === undefined ? this.code : row.code;
    return { message: this.message, type: row.type, param: this.details.param ?? null, code };
  }
}

function fillTemplate(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(details[name] ?? whole));
}

/** For a name that the allowlist does not have, or no longer. */
export function modelNotFound(model: string): ServiceError {
  return new ServiceError('model_not_found', { model, param: 'model' });
}

/** For work that a stop ends. */
export function shuttingDown(): ServiceError {
  return new ServiceError('shutting_down', { retryAfterSeconds: 1 });
}
