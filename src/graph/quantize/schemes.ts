import type { Graph } from '../graph.ts';
import type { Provider } from '../passes/all.ts';
import type { Constants, Linear } from './linears.ts';
import { findValues } from './values.ts';

/**
 * How a linear layer is quantised.
 * - `rows`: `y = scale(x / s) * (codes(x / s) codes(s W)^T * scales(s W)) + b`, one scale for each row of the input,
 *   taken when the graph runs, and one for each output channel; s is that of `smoothing.ts`. The fastest on a CPU.
 * - `blocks-8`, `blocks-4`: the weight in blocks along each row. Slower, and a wide number in a row costs its block only.
 */
export type Scheme = 'rows' | 'blocks-8' | 'blocks-4';

export interface SchemeQuestion {
  readonly bits: 4 | 8;
  readonly provider: Provider;
  readonly constants: Constants;
}

/**
 * - What a gate has multiplied has outliers that no norm tells of, and would cost a row its resolution: it goes in blocks.
 * - Most of what 4 bits lose is lost in the values of attention, a twelfth of the weights, which stay in 8 (docs/log.md).
 */
export function chooseSchemes(
  graph: Graph,
  { bits, provider, constants }: SchemeQuestion,
): (linear: Pick<Linear, 'node' | 'input'>) => Scheme {
  if (bits === 4) {
    const values = findValues(graph);
    return ({ node }) => (values.has(node) ? 'blocks-8' : 'blocks-4');
  }
  if (provider === 'cuda') return () => 'blocks-8';
  return ({ input }) => (constants.producer(input)?.op === 'Mul' ? 'blocks-8' : 'rows');
}
