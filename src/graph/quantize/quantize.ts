import type { Derivation, Int8Linears } from '../derivation.ts';
import type { Graph, Node } from '../graph.ts';
import type { Provider } from '../passes/all.ts';
import { replaceNodes } from '../rewrite.ts';
import { multiplyBlocks, planBlocks } from './blocks.ts';
import { quantizeInput } from './input-codes.ts';
import { Constants, findLinears, type Linear } from './linears.ts';
import { NodeList, NodeNames } from './node-list.ts';
import { prune } from './prune.ts';
import { multiplyRows, planRows } from './rows.ts';
import { quantizeTables } from './tables.ts';
import { findValues } from './values.ts';

/** A graph with the tensors that have to be made for it before it is loaded. */
export interface QuantizedGraph {
  readonly graph: Graph;
  readonly derivations: readonly Derivation[];
}

/**
 * How a linear layer is quantised.
 * - `rows`: `y = scale(x / s) * (codes(x / s) codes(s W)^T * scales(s W)) + b`, one scale for each row of the input,
 *   taken when the graph runs, and one for each output channel; s is that of `smoothing.ts`. The fastest on a CPU.
 * - `blocks-8`, `blocks-4`: the weight in blocks along each row. Slower, and a wide number in a row costs its block only.
 */
type Scheme = 'rows' | 'blocks-8' | 'blocks-4';

/** Linear layers and large tables in less than 16 bits. No row depends on the rest of the batch. */
export function quantize(graph: Graph, bits: 4 | 8, provider: Provider): QuantizedGraph {
  const tables = quantizeTables(graph);
  const constants = new Constants(tables.graph);
  const choose = schemes(tables.graph, { bits, provider, constants });
  const names = new NodeNames(tables.graph);
  const made = new Map<string, Derivation>();
  const replacements = new Map<Node, readonly Node[]>();
  for (const linears of groupByInput(findLinears(tables.graph))) {
    const list = new NodeList(names);
    const inRows = linears.filter((linear) => choose(linear) === 'rows');
    if (inRows.length > 0) {
      const derivation = shared(made, planRows(inRows, constants));
      const codes = quantizeInput(list, inRows[0]!, { constants, inverse: derivation.smoothing?.inverse });
      for (const [index, linear] of inRows.entries()) {
        multiplyRows(list, linear, codes, derivation.linears[index]!); // planned from these
        replacements.set(linear.node, list.take());
      }
    }
    for (const linear of linears.filter((each) => choose(each) !== 'rows')) {
      const blocks = planBlocks(linear, choose(linear) === 'blocks-4' ? 4 : 8);
      made.set(blocks.codes, blocks);
      multiplyBlocks(list, linear, blocks, provider);
      replacements.set(linear.node, list.take());
    }
  }
  const rewritten = replaceNodes(tables.graph, replacements);
  return {
    graph: prune({ ...rewritten, initializers: names.initializers }),
    derivations: [...tables.derivations, ...made.values()],
  };
}

interface SchemeQuestion {
  readonly bits: 4 | 8;
  readonly provider: Provider;
  readonly constants: Constants;
}

/**
 * - What a gate has multiplied has outliers that no norm tells of, and would cost a row its resolution.
 * - Most of what 4 bits lose is lost in the values of attention, a twelfth of the weights (docs/log.md).
 */
function schemes(graph: Graph, { bits, provider, constants }: SchemeQuestion): (linear: Linear) => Scheme {
  if (bits === 4) {
    const values = findValues(graph);
    return ({ node }) => (values.has(node) ? 'blocks-8' : 'blocks-4');
  }
  if (provider === 'cuda') return () => 'blocks-8';
  return ({ input }) => (constants.producer(input)?.op === 'Mul' ? 'blocks-8' : 'rows');
}

/** In the order of their first readers. */
function groupByInput(linears: readonly Linear[]): readonly (readonly Linear[])[] {
  const groups = new Map<string, Linear[]>();
  for (const linear of linears) groups.set(linear.input, [...(groups.get(linear.input) ?? []), linear]);
  return [...groups.values()];
}

function shared(made: Map<string, Derivation>, planned: Int8Linears): Int8Linears {
  const key = planned.linears.map(({ codes }) => codes).join('\n');
  const known = made.get(key);
  if (known?.kind === 'int8-linears') return known;
  made.set(key, planned);
  return planned;
}
