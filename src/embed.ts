import type { Metrics } from './metrics/metrics.ts';
import type { EmbedRequest } from './request/embed-request.ts';
import type { Origin } from './request/origin.ts';
import type { ModelFacts } from './serving/model-facts.ts';
import type { ModelHost, ModelWork } from './serving/model-host.ts';
import type { Encoded } from './tokenizer/encoded.ts';
import { encodeItems } from './tokenizer/encode-items.ts';
import { readItems, type ReadRules } from './tokenizer/read-items.ts';
import { mark } from './tracing/timeline.ts';
import { checkDimensions, sliceVectors } from './vectors/slice.ts';
import type { Vectors } from './vectors/vectors.ts';

/** An input that was cut to the model's length. */
export interface Cut {
  readonly index: number;
  /** Tokens before and after the cut, special tokens included. */
  readonly fullTokens: number;
  readonly keptTokens: number;
}

/** What vectors were made with: the same source and text give the same vector. */
export interface VectorSource extends Pick<ModelFacts, 'origin' | 'revision' | 'dtype' | 'pooling' | 'task'> {
  readonly repository: string;
  /** Put before every text; '' for none. */
  readonly prompt: string;
}

export interface EmbedResult {
  /** Row `i` belongs to item `i` of the request; already sliced to `dimensions`. */
  readonly vectors: Vectors;
  /** Real tokens, special tokens included. */
  readonly promptTokens: number;
  readonly cuts: readonly Cut[];
  readonly source: VectorSource;
}

/**
 * The one hot path: HTTP, the command line and the library all call it.
 * @throws ServiceError
 */
export type Embed = (request: EmbedRequest, signal?: AbortSignal, origin?: Origin) => Promise<EmbedResult>;

export interface EmbedOptions extends ReadRules {
  readonly host: ModelHost;
  readonly metrics: Metrics;
  readonly truncateInputs: boolean;
  readonly renormalize: boolean;
}

/** Items -> token ids -> vectors, through the model the request names. */
export function createEmbed(options: EmbedOptions): Embed {
  const { host, metrics, truncateInputs, maxRequestTokens, renormalize } = options;
  return (request, signal, origin) => {
    const work: ModelWork<EmbedResult> = async (model, entry) => {
      mark(origin?.timeline, 'modelAtMs');
      const { tokenizer, card } = model;
      const { dimensions } = request;
      checkDimensions(dimensions, card.dimensions);
      const label = { model: entry.name };

      const endTokenize = metrics.tokenizeSeconds.startTimer(label);
      const items = await readItems(
        request.items,
        { ...options, tokenIds: entry.tokenIds ?? options.tokenIds },
        signal,
      );
      const prompt = model.choosePrompt(request, entry);
      const limits = { ...model.limits, maxRequestTokens, truncate: truncateInputs, prompt };
      const encoded = await model.expect(countBytes(items), encodeItems(tokenizer, items, limits, signal));
      endTokenize();
      mark(origin?.timeline, 'tokenizedAtMs');

      const promptTokens = encoded.reduce((sum, { ids }) => sum + ids.length, 0);
      await origin?.admit?.(promptTokens, entry.name);
      const vectors = await model.embed(encoded, signal, origin);
      mark(origin?.timeline, 'computedAtMs');
      const cuts = encoded.flatMap(toCut);
      metrics.inputs.inc(label, items.length);
      metrics.tokens.inc(label, promptTokens);
      if (cuts.length > 0) metrics.truncatedInputs.inc(label, cuts.length);
      const isPrompted = items.some(({ kind }) => kind === 'text'); // token ids of the model are taken as they are
      const source = { ...card, repository: entry.repository, prompt: isPrompted ? prompt : '' };
      return { vectors: sliceVectors(vectors, { dimensions, renormalize }), promptTokens, cuts, source };
    };
    return host.use(request.model, work, request, signal, origin?.requestId);
  };
}

/** About what the items take in a request. */
function countBytes(items: EmbedRequest['items']): number {
  const bytesPerId = 6; // digits and a comma
  return items.reduce(
    (sum, item) => sum + (item.kind === 'text' ? Buffer.byteLength(item.text) : bytesPerId * item.ids.length),
    0,
  );
}

function toCut({ ids, fullLength }: Encoded, index: number): Cut[] {
  return fullLength === undefined ? [] : [{ index, fullTokens: fullLength, keptTokens: ids.length }];
}
