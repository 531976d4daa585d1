import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { PackedInputs } from '../packed-inputs.ts';

/** How the token vectors of a sequence become one vector. */
export const poolings = { mean, cls: firstToken, lasttoken: lastToken } as const;
export type PoolingName = keyof typeof poolings;

export function isPoolingName(name: string): name is PoolingName {
  return Object.hasOwn(poolings, name);
}

/** Mean over the real tokens. hidden: `[tokens, size]` -> `[batch, size]`. Rows never touch each other, so a NaN stays in its own. */
function mean(g: GraphBuilder, hidden: Value, inputs: PackedInputs): Value {
  return g.scope('pooling', () => {
    const padded = g.op('Gather', [hidden, inputs.padIndex]);
    const longest = g.op('Gather', [g.op('Shape', [inputs.padIndex], { dtype: 'int64' }), g.index(1)]);
    const positions = g.op('Range', [g.index(0), longest, g.index(1)]);
    const lengths = g.op('Unsqueeze', [g.cast(inputs.lengths, 'int64'), g.int64(1)]);
    const isReal = g.op('Unsqueeze', [g.op('Less', [positions, lengths], { dtype: 'bool' }), g.int64(2)]);
    const sum = g.op('ReduceSum', [g.op('Where', [isReal, padded, g.scalar(0)], { dtype: 'float32' }), g.int64(1)], {
      attributes: { keepdims: int(0) },
    });
    return g.op('Div', [sum, g.cast(lengths, 'float32')]);
  });
}

function firstToken(g: GraphBuilder, hidden: Value, inputs: PackedInputs): Value {
  return g.scope('pooling', () => g.op('Gather', [hidden, columnOf(g, inputs.padIndex, 0)]));
}

/** Padded positions repeat the last real row, so the last column holds the last token of every sequence. */
function lastToken(g: GraphBuilder, hidden: Value, inputs: PackedInputs): Value {
  return g.scope('pooling', () => g.op('Gather', [hidden, columnOf(g, inputs.padIndex, -1)]));
}

function columnOf(g: GraphBuilder, matrix: Value, column: number): Value {
  return g.op('Gather', [matrix, g.index(column)], { attributes: { axis: int(1) } });
}
