import type { GraphBuilder, Value } from '../builder.ts';

export interface EmbeddingSizes {
  readonly rows: number;
  readonly size: number;
}

/** Rows of a table. ids: `[tokens]` -> `[tokens, size]`. The table stays in its own number format; only the rows taken are widened. */
export function embedding(g: GraphBuilder, path: string, ids: Value, { rows, size }: EmbeddingSizes): Value {
  return g.scope(path, () => {
    const table = g.storedWeight(`${path}.weight`, [rows, size]);
    return g.cast(g.op('Gather', [table, ids]), 'float32');
  });
}
