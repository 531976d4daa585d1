import type { Graph, Node } from './graph.ts';

/** A rewrite of a graph that keeps its meaning; each lives in a file of its own under passes/. */
export type Pass = (graph: Graph) => Graph;

/** Answers who makes a value, who reads it, and which shape it has where that is written down. */
export class Uses {
  readonly #graph: Graph;
  readonly #producers = new Map<string, Node>();
  readonly #readCounts = new Map<string, number>();

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#visit(graph, true);
  }

  producer(value: string | undefined): Node | undefined {
    return value === undefined ? undefined : this.#producers.get(value);
  }

  /** The producer of `value` when it is one of `op` and nobody else reads the value. */
  onlyFor(value: string | undefined, op: string): Node | undefined {
    const node = this.producer(value);
    return node?.op === op && value !== undefined && this.#readCounts.get(value) === 1 ? node : undefined;
  }

  /** The shape of a constant or of its cast; undefined for what is computed from the inputs. */
  constantShape(value: string | undefined): readonly number[] | undefined {
    const constant = this.#graph.initializers.find(({ name }) => name === value);
    if (constant !== undefined) return constant.shape;
    const producer = this.producer(value);
    return producer?.op === 'Cast' ? this.constantShape(producer.inputs[0]) : undefined;
  }

  /** Branches read values of their parents, so their reads count too. */
  #visit(graph: Graph, isOutermost: boolean): void {
    for (const output of graph.outputs) this.#count(output.name);
    for (const node of graph.nodes) {
      if (isOutermost) for (const output of node.outputs) this.#producers.set(output, node);
      for (const input of node.inputs) this.#count(input);
      for (const attribute of Object.values(node.attributes)) {
        if (attribute.kind === 'graph') this.#visit(attribute.value, false);
      }
    }
  }

  #count(value: string): void {
    this.#readCounts.set(value, (this.#readCounts.get(value) ?? 0) + 1);
  }
}

/** Replaces nodes by others in place; a replacement by an empty list removes the node. */
export function replaceNodes(graph: Graph, replacements: ReadonlyMap<Node, readonly Node[]>): Graph {
  if (replacements.size === 0) return graph;
  return { ...graph, nodes: graph.nodes.flatMap((node) => replacements.get(node) ?? [node]) };
}
