import { basename } from 'node:path';
import type { Attribute, Dimension, Graph, Initializer, Port } from './graph.ts';
import { branchesOf, type ListedNode, listNodes } from './list-nodes.ts';

/** A graph as text: inputs, outputs, initialisers and nodes, one a line. */
export function printGraph(graph: Graph): string {
  return [
    section('inputs', graph.inputs.map(printPort)),
    section('outputs', graph.outputs.map(printPort)),
    section('initializers', graph.initializers.map(printInitializer)),
    `nodes\n${printNodes(graph)}`,
  ].join('\n');
}

/** One line a node: number, name, operator, inputs -> outputs, attributes. Nodes of a branch are indented below its owner. */
export function printNodes(graph: Graph): string {
  const listed = listNodes(graph);
  const width = String(listed.length - 1).length;
  return listed.map((entry) => `${printNode(entry, width)}\n`).join('');
}

function printNode({ number, node, branches }: ListedNode, width: number): string {
  const op = node.domain === '' ? node.op : `${node.domain}.${node.op}`;
  const inputs = node.inputs.map((input) => input || '-').join(', ');
  const attributes = Object.entries(node.attributes).map(([name, value]) => `${name}=${printAttribute(value)}`);
  const parts = [node.name, op, `${inputs} -> ${node.outputs.join(', ')} ${node.dtype ?? '?'}`, ...attributes];
  return `${String(number).padStart(width)} ${'  '.repeat(branches.length)} ${parts.join('  ')}`;
}

function printAttribute(attribute: Attribute): string {
  switch (attribute.kind) {
    case 'int':
    case 'float':
      return String(attribute.value);
    case 'ints':
    case 'floats':
      return `[${attribute.value.join(', ')}]`;
    case 'string':
    case 'strings':
      return JSON.stringify(attribute.value);
    case 'tensor':
      return `${attribute.value.dtype} ${printShape(attribute.value.shape)}`;
    case 'graph':
      return `{${countNodes(attribute.value)} nodes}`;
    default:
      return attribute satisfies never;
  }
}

function countNodes({ nodes }: Graph): number {
  return nodes.reduce(
    (sum, node) => sum + 1 + branchesOf(node).reduce((inner, branch) => inner + countNodes(branch), 0),
    0,
  );
}

function section(title: string, lines: readonly string[]): string {
  return `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function printPort({ name, dtype, shape }: Port): string {
  return shape === undefined ? `${name}  ${dtype}` : `${name}  ${dtype} ${printShape(shape)}`;
}

/** Where the values are: a byte range of a file, or in the graph itself. */
function printInitializer({ name, dtype, shape, data }: Initializer): string {
  return `${name}  ${dtype} ${printShape(shape)}  ${printPlace(data)}`;
}

function printPlace(data: Initializer['data']): string {
  switch (data.kind) {
    case 'inline':
      return `inline ${data.bytes.length} bytes`;
    case 'checkpoint':
      return `${basename(data.view.file)} ${data.view.offset} + ${data.view.byteLength} bytes`;
    case 'derived':
      return 'made when the model is loaded';
    default:
      return data satisfies never;
  }
}

function printShape(shape: readonly Dimension[]): string {
  return `[${shape.join(', ')}]`;
}
