import type { Graph, Initializer, Node } from '../graph.ts';
import { ints } from '../graph.ts';

/** The version of ONNX from which each operator takes its axes as an input; before, they are an attribute. */
const axesInputSince: Readonly<Record<string, number>> = {
  ReduceSum: 13,
  Squeeze: 13,
  Unsqueeze: 13,
  ReduceL1: 18,
  ReduceL2: 18,
  ReduceMax: 18,
  ReduceMean: 18,
  ReduceMin: 18,
  ReduceProd: 18,
  ReduceSumSquare: 18,
};

/**
 * Writes our own nodes in the version of ONNX of the file that the graph contains, which must stay as it is. Nodes of
 * the file have no axes as inputs where their version knows none.
 *
 *     ReduceL2(x, int64[1])   ->   ReduceL2(x, axes=[1])
 */
export function toOlderOpset(graph: Graph): Graph {
  const opset = graph.format?.opsets[''] ?? Infinity;
  if (Object.values(axesInputSince).every((since) => opset >= since)) return graph;
  const constants = new Map(graph.initializers.map((initializer) => [initializer.name, initializer]));
  return rewrite(graph, opset, constants);
}

function rewrite(graph: Graph, opset: number, constants: ReadonlyMap<string, Initializer>): Graph {
  return { ...graph, nodes: graph.nodes.map((node) => rewriteNode(node, opset, constants)) };
}

function rewriteNode(node: Node, opset: number, constants: ReadonlyMap<string, Initializer>): Node {
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).map(([name, attribute]) => [
      name,
      attribute.kind === 'graph'
        ? { kind: 'graph' as const, value: rewrite(attribute.value, opset, constants) }
        : attribute,
    ]),
  );
  const [data, axes, ...rest] = node.inputs;
  if (node.domain !== '' || opset >= (axesInputSince[node.op] ?? 0) || data === undefined || axes === undefined)
    return { ...node, attributes };
  const constant = constants.get(axes);
  if (constant?.data.kind !== 'inline' || rest.length > 0)
    throw new Error(`${node.name} needs constant axes in version ${opset} of ONNX. This is a bug.`);
  const { buffer, byteOffset, byteLength } = constant.data.bytes;
  const values = Array.from(new BigInt64Array(buffer.slice(byteOffset, byteOffset + byteLength)), Number);
  return { ...node, inputs: [data], attributes: { ...attributes, axes: ints(values) } };
}
