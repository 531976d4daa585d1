import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';
import { countTo, longestOf } from './sizes.ts';

/** What pooling needs to know of a batch. */
export interface PoolingInputs extends Pick<PackedInputs, 'padIndex' | 'lengths'> {
  /** Tokens at the start of each sequence that take no part, fewer than it has. `[batch]` int32 */
  readonly skips?: Value | undefined;
}

/** How the token vectors of a sequence become one vector. Names and equations: sentence_transformers, Pooling. */
export const poolings = {
  cls,
  max,
  mean,
  mean_sqrt_len_tokens: meanSqrtLength,
  weightedmean: weightedMean,
  lasttoken,
} as const;
export type PoolingMode = keyof typeof poolings;

export function isPoolingMode(name: string): name is PoolingMode {
  return Object.hasOwn(poolings, name);
}

/**
 * The vectors of each mode side by side. hidden: `[tokens, size]` -> `[batch, modes * size]`. Rows never touch each
 * other, so a NaN stays in its own.
 */
export function pool(g: GraphBuilder, modes: readonly PoolingMode[], hidden: Value, inputs: PoolingInputs): Value {
  return g.scope('pooling', () => {
    const sequences = new Sequences(g, hidden, inputs);
    const vectors = modes.map((mode) => poolings[mode](sequences));
    const [only, another] = vectors;
    return only !== undefined && another === undefined
      ? only
      : g.op('Concat', vectors, { attributes: { axis: int(1) } });
  });
}

/** Values that several modes need, each built once. */
class Sequences {
  readonly g: GraphBuilder;
  readonly hidden: Value;
  readonly inputs: PoolingInputs;
  readonly #built = new Map<string, Value>();

  constructor(g: GraphBuilder, hidden: Value, inputs: PoolingInputs) {
    this.g = g;
    this.hidden = hidden;
    this.inputs = inputs;
  }

  /** `[longest]` int64: 0, 1, 2, ... */
  get positions(): Value {
    return this.#once('positions', (g) => countTo(g, longestOf(g, this.inputs)));
  }

  /** `[batch, longest, 1]` bool: the real tokens that take part. */
  get mask(): Value {
    return this.#once('mask', (g) => {
      const isReal = g.op('Less', [this.positions, column(g, this.inputs.lengths)], { dtype: 'bool' });
      const { skips } = this.inputs;
      if (skips === undefined) return g.op('Unsqueeze', [isReal, g.int64(2)]);
      const isCounted = g.op('GreaterOrEqual', [this.positions, column(g, skips)], { dtype: 'bool' });
      return g.op('Unsqueeze', [g.op('And', [isReal, isCounted]), g.int64(2)]);
    });
  }

  /** `[batch, longest, size]` */
  get padded(): Value {
    return this.#once('padded', (g) => g.op('Gather', [this.hidden, this.inputs.padIndex]));
  }

  /** Zeros where a token takes no part. `[batch, longest, size]` */
  get masked(): Value {
    return this.#once('masked', (g) => this.filled(g.scalar(0)));
  }

  /** `[batch, size]` */
  get sum(): Value {
    return this.#once('sum', (g) => sumOverTokens(g, this.masked));
  }

  /** How many tokens take part. `[batch, 1]` float32 */
  get count(): Value {
    return this.#once('count', (g) => {
      const { lengths, skips } = this.inputs;
      const counts = skips === undefined ? lengths : g.op('Sub', [lengths, skips]);
      return g.cast(column(g, counts), 'float32');
    });
  }

  /** `padded` with `value` where a token takes no part. */
  filled(value: Value): Value {
    return this.g.op('Where', [this.mask, this.padded, value], { dtype: 'float32' });
  }

  #once(name: string, build: (g: GraphBuilder) => Value): Value {
    const known = this.#built.get(name);
    if (known !== undefined) return known;
    const value = build(this.g);
    this.#built.set(name, value);
    return value;
  }
}

function mean({ g, sum, count }: Sequences): Value {
  return g.op('Div', [sum, count]);
}

function meanSqrtLength({ g, sum, count }: Sequences): Value {
  return g.op('Div', [sum, g.op('Sqrt', [count])]);
}

/** Each token weighs its place in the sequence, 1, 2, 3, ...; tokens skipped at the start keep theirs to themselves. */
function weightedMean(sequences: Sequences): Value {
  const { g, positions, mask, masked } = sequences;
  const places = g.op('Unsqueeze', [g.cast(g.op('Add', [positions, g.index(1)]), 'float32'), g.int64(0, 2)]);
  const weights = g.op('Where', [mask, places, g.scalar(0)], { dtype: 'float32' });
  return g.op('Div', [sumOverTokens(g, g.op('Mul', [masked, weights])), sumOverTokens(g, weights)]);
}

/** ReduceMax passes over NaN; times zero, the sum brings it back. */
function max(sequences: Sequences): Value {
  const { g, sum } = sequences;
  const largest = g.op('ReduceMax', [sequences.filled(g.scalar(-Infinity)), g.int64(1)], {
    attributes: { keepdims: int(0) },
  });
  return g.op('Add', [largest, g.op('Mul', [sum, g.scalar(0)])]);
}

/** The first token that takes part. */
function cls({ g, hidden, inputs: { padIndex, skips } }: Sequences): Value {
  if (skips === undefined) return g.op('Gather', [hidden, columnOf(g, padIndex, 0)]);
  const rows = g.op('GatherElements', [padIndex, column(g, skips)], { attributes: { axis: int(1) } });
  return g.op('Gather', [hidden, g.op('Squeeze', [rows, g.int64(1)])]);
}

/** Padded positions repeat the last real row, so the last column holds the last token of every sequence. */
function lasttoken({ g, hidden, inputs }: Sequences): Value {
  return g.op('Gather', [hidden, columnOf(g, inputs.padIndex, -1)]);
}

/** `[batch]` int32 -> `[batch, 1]` int64 */
function column(g: GraphBuilder, values: Value): Value {
  return g.op('Unsqueeze', [g.cast(values, 'int64'), g.int64(1)]);
}

function columnOf(g: GraphBuilder, matrix: Value, index: number): Value {
  return g.op('Gather', [matrix, g.index(index)], { attributes: { axis: int(1) } });
}

function sumOverTokens(g: GraphBuilder, x: Value): Value {
  return g.op('ReduceSum', [x, g.int64(1)], { attributes: { keepdims: int(0) } });
}
