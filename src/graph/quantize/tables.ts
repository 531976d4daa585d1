import type { Derivation } from '../derivation.ts';
import type { Graph, Node } from '../graph.ts';
import { int } from '../graph.ts';
import { replaceNodes } from '../rewrite.ts';
import { Constants } from './linears.ts';
import { NodeList, NodeNames } from './node-list.ts';
import { prune } from './prune.ts';

const fewestRows = 1024; // tables of positions and types are small, and added to every token

/**
 * Tables of which rows are taken, in 8 bit with a scale for each row: a quarter of the memory, and no slower, because
 * only the rows taken are widened.
 *
 *     Gather(table, ids)   ->   DequantizeLinear(Gather(codes, ids), Gather(scales, ids))
 */
export function quantizeTables(graph: Graph): { readonly graph: Graph; readonly derivations: readonly Derivation[] } {
  const constants = new Constants(graph);
  const names = new NodeNames(graph);
  const derivations = new Map<string, Derivation>();
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const [tableName, ids] = node.inputs;
    const table = node.op === 'Gather' ? constants.view(tableName) : undefined;
    if (table === undefined || ids === undefined || table.shape.length !== 2 || table.shape[0]! < fewestRows) continue;
    const [rows = 0, size = 0] = table.shape;
    const [codes, scales] = [`${table.name}.int8`, `${table.name}.scales`];
    derivations.set(table.name, { kind: 'int8-rows', from: table, codes, scales });
    const list = new NodeList(names);
    const taken = list.add(node, 'Gather', [list.derived(codes, 'int8', [rows, size]), ids], { dtype: 'int8' });
    const takenScales = list.add(node, 'Gather', [list.derived(scales, 'float32', [rows]), ids]);
    list.add(node, 'DequantizeLinear', [taken, takenScales], {
      attributes: { axis: int(0) },
      output: node.outputs[0]!,
    });
    replacements.set(node, list.take());
  }
  const rewritten = replaceNodes(graph, replacements);
  return { graph: prune({ ...rewritten, initializers: names.initializers }), derivations: [...derivations.values()] };
}
