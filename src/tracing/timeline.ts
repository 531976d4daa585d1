/**
 * When a request reached each stage, on the clock of `performance.now()`. The stages write it as they pass; the log line
 * and the spans are made of it when the request has ended. A time that is undefined was not reached.
 */
export interface Timeline {
  /** Its headers were read. */
  readonly acceptedAtMs: number;
  /** Its body was read and parsed. */
  readAtMs: number | undefined;
  /** Its model was in memory. */
  modelAtMs: number | undefined;
  tokenizedAtMs: number | undefined;
  /** The first of its inputs went to a runner. */
  startedAtMs: number | undefined;
  /** The last of its vectors was there. */
  computedAtMs: number | undefined;
  /** Its answer was written. */
  encodedAtMs: number | undefined;
  /** Batches that had inputs of it. */
  batches: number;
  /** Inputs answered out of the cache of results. */
  cached: number;
  /** Inputs answered by an identical one in flight. */
  deduplicated: number;
  /** Other requests with inputs in its batches: ids of the first few. */
  neighbours: Set<string> | undefined;
}

/** What a request waits for or is worked on in, in the order of its life. */
export type StageName = 'body' | 'load' | 'tokenize' | 'queue' | 'run' | 'encode' | 'send';

export interface Stage {
  readonly name: StageName;
  readonly startMs: number;
  readonly endMs: number;
}

type Mark = Exclude<Extract<keyof Timeline, `${string}AtMs`>, 'acceptedAtMs'>;

/** Each stage and the time that ends it. */
const ends: readonly (readonly [StageName, Mark])[] = [
  ['body', 'readAtMs'],
  ['load', 'modelAtMs'],
  ['tokenize', 'tokenizedAtMs'],
  ['queue', 'startedAtMs'],
  ['run', 'computedAtMs'],
  ['encode', 'encodedAtMs'],
];

export function startTimeline(acceptedAtMs: number): Timeline {
  return {
    acceptedAtMs,
    readAtMs: undefined,
    modelAtMs: undefined,
    tokenizedAtMs: undefined,
    startedAtMs: undefined,
    computedAtMs: undefined,
    encodedAtMs: undefined,
    batches: 0,
    cached: 0,
    deduplicated: 0,
    neighbours: undefined,
  };
}

/** Writes down that a stage has ended now; nothing where nobody asks for it. */
export function mark(timeline: Timeline | undefined, end: Mark): void {
  if (timeline !== undefined) timeline[end] = performance.now();
}

/** The stages up to `endedAtMs`, without gaps: their times add up to the whole. The last may have been cut short. */
export function stagesOf(timeline: Timeline, endedAtMs: number): readonly Stage[] {
  const last = ends.findLastIndex(([, end]) => timeline[end] !== undefined);
  const stages: Stage[] = [];
  let startMs = timeline.acceptedAtMs;
  for (const [name, end] of ends.slice(0, last + 1)) {
    const endMs = timeline[end] ?? startMs; // skipped: what comes out of the cache waits for no runner
    stages.push({ name, startMs, endMs });
    startMs = endMs;
  }
  return [...stages, { name: ends[last + 1]?.[0] ?? 'send', startMs, endMs: endedAtMs }];
}
