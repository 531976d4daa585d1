import type { Graph } from './graph.ts';
import type { Provider } from './passes/all.ts';
import { quantize, type QuantizedGraph } from './quantize/quantize.ts';
import { widenLate } from './widen-late.ts';

/**
 * What the weights of a model are computed from. `float16` keeps weights that are stored in 16 bits so in memory and
 * widens them while the graph runs: the numbers are those of `float32`.
 */
export type Precision = 'float32' | 'float16' | 'int8' | 'int4';

/** Whether numbers are rounded to codes. */
export function isQuantized(precision: Precision): boolean {
  return precision === 'int8' || precision === 'int4';
}

/** Turns the graph of a checkpoint into one of less precise weights. */
export function toPrecision(graph: Graph, precision: Precision, provider: Provider): QuantizedGraph {
  switch (precision) {
    case 'float32':
      return { graph, derivations: [] };
    case 'float16':
      return { graph: widenLate(graph), derivations: [] };
    case 'int8':
      return quantize(graph, 8, provider);
    case 'int4':
      return quantize(graph, 4, provider);
    default:
      return precision satisfies never;
  }
}
