import type { GraphBuilder, Value } from '../builder.ts';
import type { PackedInputs } from '../packed-inputs.ts';

/**
 * What `body` makes of packed rows `[tokens, size]` in their padded form `[batch, longest, size]`, packed again to
 * `[tokens, resultSize]`. The body runs in one of two branches and is told whether padding is there.
 *
 *     equal lengths                    other lengths
 *       view [batch, longest, size]      Gather pad_index
 *       body                             body
 *                                        Gather unpad_index
 *
 * Views are taken outside the branches: a branch would copy the values it reshapes.
 */
export function padded(
  g: GraphBuilder,
  packed: readonly Value[],
  { inputs, resultSize }: { readonly inputs: PackedInputs; readonly resultSize: number },
  body: (g: GraphBuilder, padded: readonly Value[], hasPadding: boolean) => Value,
): Value {
  const rows = g.int64(-1, resultSize);
  const views = packed.map((x) => g.op('Reshape', [x, inputs.viewShape]));
  const result = g.branch(
    inputs.equalLengths,
    (then) => body(then, views, false),
    (otherwise) => {
      const gathered = packed.map((x) => otherwise.op('Gather', [x, inputs.padIndex]));
      const computed = body(otherwise, gathered, true);
      return otherwise.op('Gather', [otherwise.op('Reshape', [computed, rows]), inputs.unpadIndex]);
    },
  );
  return g.op('Reshape', [result, rows]);
}
