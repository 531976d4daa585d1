import type { GraphBuilder, Value } from '../graph/builder.ts';
import { activations } from '../graph/layers/activation.ts';
import type { QueryKeyValue } from '../graph/layers/heads.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { linear } from '../graph/layers/linear.ts';
import type { PostNormConfig } from './post-norm-config.ts';

/** Where a checkpoint keeps the parts of a layer, below the path of the layer. */
export interface PostNormNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** Of the heads side by side. */
  readonly attended: string;
  readonly attendedNorm: string;
  /** `[intermediate, hidden]` */
  readonly wide: string;
  /** `[hidden, intermediate]` */
  readonly narrow: string;
  readonly outputNorm: string;
}

export interface PostNormOptions extends Pick<PostNormConfig, 'hidden' | 'intermediate' | 'activation' | 'epsilon'> {
  readonly names: PostNormNames;
  /** Each token's view of its sequence, all `[tokens, hidden]`; `path` is the module's. */
  readonly attend: (path: string, qkv: QueryKeyValue) => Value;
}

/**
 * A layer of BERT and its relatives, each sublayer added to its input and then normalised:
 * `y = LN(x + Wo attention(x))`, then `LN(y + W2 act(W1 y))`. x: `[tokens, hidden]`
 */
export function postNormLayer(
  g: GraphBuilder,
  path: string,
  x: Value,
  { names, attend, hidden, intermediate, activation, epsilon }: PostNormOptions,
): Value {
  const at = (name: keyof PostNormNames) => `${path}.${names[name]}`;
  const square = { inputs: hidden, outputs: hidden };
  const norm = { size: hidden, epsilon };

  const q = linear(g, at('query'), x, square);
  const k = linear(g, at('key'), x, square);
  const v = linear(g, at('value'), x, square);
  const context = attend(parentOf(at('query')), [q, k, v]);
  const attended = linear(g, at('attended'), context, square);
  const y = layerNorm(g, at('attendedNorm'), add(g, at('attendedNorm'), attended, x), norm);

  const wide = linear(g, at('wide'), y, { inputs: hidden, outputs: intermediate });
  const active = g.scope(parentOf(at('wide')), () => activations[activation](g, wide));
  const narrow = linear(g, at('narrow'), active, { inputs: intermediate, outputs: hidden });
  return layerNorm(g, at('outputNorm'), add(g, at('outputNorm'), narrow, y), norm);
}

/** In the module that holds the norm. */
function add(g: GraphBuilder, normPath: string, a: Value, b: Value): Value {
  return g.scope(parentOf(normPath), () => g.op('Add', [a, b]));
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('.'));
}
