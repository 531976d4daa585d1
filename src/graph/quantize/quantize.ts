import type { Derivation, Int8Linears } from '../derivation.ts';
import type { Graph, Node } from '../graph.ts';
import type { Provider } from '../passes/all.ts';
import { chooseSchemes } from './schemes.ts';
import { fuseFastGelu } from './fast-gelu.ts';
import { replaceNodes } from '../rewrite.ts';
import { findNaN, multiplyBlocks, planBlocks } from './blocks.ts';
import { quantizeInput } from './input-codes.ts';
import { Constants, findLinears, type Linear } from './linears.ts';
import { NodeList, NodeNames } from './node-list.ts';
import { prune } from './prune.ts';
import { multiplyRows, planRows } from './rows.ts';
import { quantizeTables } from './tables.ts';

/** A graph with the tensors that have to be made for it before it is loaded. */
export interface QuantizedGraph {
  readonly graph: Graph;
  readonly derivations: readonly Derivation[];
}

/** Linear layers and large tables in less than 16 bits. No row depends on the rest of the batch. */
export function quantize(original: Graph, bits: 4 | 8, provider: Provider): QuantizedGraph {
  const tables = quantizeTables(bits === 8 && provider === 'cpu' ? fuseFastGelu(original) : original);
  const names = new NodeNames(tables.graph);
  const constants = new Constants(tables.graph);
  const choose = chooseSchemes(tables.graph, { bits, provider, constants });
  const made = new Map<string, Derivation>();
  const replacements = new Map<Node, readonly Node[]>();
  for (const linears of groupByInput(findLinears(tables.graph, constants))) {
    const list = new NodeList(names);
    const inRows = linears.filter((linear) => choose(linear) === 'rows');
    if (inRows.length > 0) {
      const derivation = shared(made, planRows(inRows, constants));
      const codes = quantizeInput(list, inRows[0]!, { constants, inverse: derivation.smoothing?.inverse });
      for (const [index, linear] of inRows.entries()) {
        multiplyRows(list, linear, derivation.linears[index]!, codes); // planned from these
        replacements.set(linear.node, list.take());
      }
    }
    const inBlocks = linears.filter((linear) => !inRows.includes(linear));
    const nan = inBlocks.length > 0 ? findNaN(list, inBlocks[0]!, provider) : undefined;
    for (const linear of inBlocks) {
      const blocks = planBlocks(linear, choose(linear) === 'blocks-4' ? 4 : 8);
      made.set(blocks.codes, blocks);
      multiplyBlocks(list, linear, blocks, { provider, nan });
      replacements.set(linear.node, list.take());
    }
  }
  const rewritten = replaceNodes(tables.graph, replacements);
  const nodes = [...names.leadingNodes, ...rewritten.nodes];
  return {
    graph: prune({ ...rewritten, nodes, initializers: names.initializers }),
    derivations: [...tables.derivations, ...made.values()],
  };
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
