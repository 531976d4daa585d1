import type { GraphBuilder, Value } from '../builder.ts';
import { int } from '../graph.ts';
import type { ActivationName } from './activation.ts';
import { activations } from './activation.ts';
import { linear } from './linear.ts';

export interface ExpertSizes {
  readonly experts: number;
  /** Experts each token is given to. */
  readonly chosen: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly activation: ActivationName;
}

/**
 * A mixture of feed-forward experts: `bias + sum over the chosen e of p_e W2_e^T act(W1_e x)`, where p is the softmax of
 * `router.layer` over all experts and is not normalised again. `experts.mlp.w1` and `w2`: `[experts * intermediate,
 * hidden]`. x: `[tokens, hidden]`
 *
 *     router -> p -> `chosen` times ArgMax -> [tokens, chosen]
 *     each expert: rows of its tokens -> W1, act, W2
 *     rows of all experts, scattered to [tokens, chosen] -> times p -> summed
 *
 * Every token is computed by its chosen experts alone. An expert without tokens computes zero rows.
 */
export function experts(g: GraphBuilder, path: string, x: Value, sizes: ExpertSizes): Value {
  const { hidden, chosen } = sizes;
  const router = { inputs: hidden, outputs: sizes.experts, bias: false };
  const logits = linear(g, `${path}.router.layer`, x, router);
  return g.scope(path, () => {
    const p = g.op('Softmax', [logits], { attributes: { axis: int(-1) } });
    const choice = choose(g, p, sizes); // [tokens, chosen]
    const slots = g.op('Reshape', [choice, g.int64(-1)]);
    const parts = Array.from({ length: sizes.experts }, (_, expert) =>
      runExpert(g, `${path}.experts.mlp`, { x, slots, expert }, sizes),
    );
    const [places, rows] = (['slots', 'rows'] as const).map((name) =>
      g.op(
        'Concat',
        parts.map((part) => part[name]),
        { attributes: { axis: int(0) } },
      ),
    );
    // The slots of all experts together are every slot once, so nothing of `rows` itself stays.
    const inOrder = g.op('ScatterND', [rows, g.op('Unsqueeze', [places, g.int64(1)]), rows]);
    const weights = g.op('GatherElements', [p, choice], { attributes: { axis: int(-1) } });
    const weighted = g.op('Mul', [
      g.op('Reshape', [inOrder, g.int64(-1, chosen, hidden)]),
      g.op('Unsqueeze', [weights, g.int64(2)]),
    ]);
    const sum = g.op('ReduceSum', [weighted, g.int64(1)], { attributes: { keepdims: int(0) } });
    return g.op('Add', [sum, g.weight(`${path}.experts.bias`, [hidden])]);
  });
}

/** The most probable experts of each token, the best first. p: `[tokens, experts]` -> `[tokens, chosen]` int64 */
function choose(g: GraphBuilder, p: Value, { experts: count, chosen }: ExpertSizes): Value {
  const numbers = g.int64(...Array.from({ length: count }, (_, expert) => expert));
  const columns: Value[] = [];
  let rest = p;
  for (let rank = 0; rank < chosen; rank++) {
    const best = g.op('ArgMax', [rest], { attributes: { axis: int(-1) }, dtype: 'int64' });
    columns.push(best);
    const isBest = g.op('Equal', [numbers, best], { dtype: 'bool' });
    rest = g.op('Where', [isBest, g.scalar(-1), rest], { dtype: 'float32' });
  }
  return columns.length === 1 ? columns[0]! : g.op('Concat', columns, { attributes: { axis: int(1) } });
}

/** The slots `token * chosen + rank` given to one expert, and what it makes of their tokens. */
function runExpert(
  g: GraphBuilder,
  path: string,
  { x, slots, expert }: { readonly x: Value; readonly slots: Value; readonly expert: number },
  { experts: count, chosen, hidden, intermediate, activation }: ExpertSizes,
): { readonly slots: Value; readonly rows: Value } {
  return g.scope(`experts.mlp[${expert}]`, () => {
    const isOwn = g.op('Equal', [slots, g.index(expert)], { dtype: 'bool' });
    const own = g.op('Reshape', [g.op('NonZero', [isOwn], { dtype: 'int64' }), g.int64(-1)]);
    const tokens = g.op('Gather', [x, g.op('Div', [own, g.index(chosen)])]);
    const part = { from: expert * intermediate, rows: intermediate };
    const [w1, w2] = ['w1', 'w2'].map((name) => g.weightRows(`${path}.${name}`, [count * intermediate, hidden], part));
    const wide = g.op('Gemm', [tokens, w1], { attributes: { transB: int(1) } });
    return { slots: own, rows: g.op('Gemm', [activations[activation](g, wide), w2]) };
  });
}
