import type { Attribute, DType, Graph, Initializer, Node } from '../graph.ts';
import { listNodes } from '../list-nodes.ts';

export interface NodeOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: Node['domain'];
  readonly dtype?: DType;
  /** Name of what it gives, where others know it already. */
  readonly output?: string;
}

/** `[tokens]` int32, of every graph. */
export const tokenInput = 'input_ids';

/** The names in use in a graph that is being rewritten, its constants, and what is to come before its nodes. */
export class NodeNames {
  readonly #taken: Set<string>;
  readonly #constants: Map<string, Initializer>;
  readonly #leading = new Map<string, Node>();

  constructor(graph: Graph) {
    this.#taken = new Set(listNodes(graph).flatMap(({ node }) => [node.name, ...node.outputs]));
    this.#constants = new Map(graph.initializers.map((initializer) => [initializer.name, initializer]));
  }

  /** Those of the graph, and what was added. */
  get initializers(): readonly Initializer[] {
    return [...this.#constants.values()];
  }

  get leadingNodes(): readonly Node[] {
    return [...this.#leading.values()];
  }

  /** Adds a node before all others, once, and gives the name of its value. */
  lead({ name, op, inputs, dtype }: Pick<Node, 'name' | 'op' | 'inputs'> & { readonly dtype: DType }): string {
    this.#leading.set(name, { name, op, domain: '', inputs, outputs: [name], dtype, attributes: {} });
    return name;
  }

  unique(name: string): string {
    let free = name;
    for (let count = 2; this.#taken.has(free); count++) free = `${name}_${count}`;
    this.#taken.add(free);
    return free;
  }

  constant(initializer: Initializer): string {
    if (!this.#constants.has(initializer.name)) this.#constants.set(initializer.name, initializer);
    return initializer.name;
  }
}

/** Nodes that take the place of others, named after them: `path/Gemm_2` gives `path/Abs`. */
export class NodeList {
  readonly #names: NodeNames;
  #nodes: Node[] = [];

  constructor(names: NodeNames) {
    this.#names = names;
  }

  /** The nodes added since the last time. */
  take(): readonly Node[] {
    const nodes = this.#nodes;
    this.#nodes = [];
    return nodes;
  }

  /** Adds a node and gives the name of its value. */
  add(inPlaceOf: Node, op: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const { attributes = {}, domain = '', dtype = 'float32' } = options;
    const name = this.#names.unique(inPlaceOf.name.replace(/[^/]*$/, op));
    const output = options.output ?? name;
    this.#nodes.push({ name, op, domain, inputs, outputs: [output], dtype, attributes });
    return output;
  }

  /** A number without dimensions. */
  float(value: number): string {
    const bytes = new Uint8Array(Float32Array.of(value).buffer);
    return this.#constant({ name: `float32(${value})`, dtype: 'float32', shape: [], data: { kind: 'inline', bytes } });
  }

  uint8(value: number): string {
    const bytes = Uint8Array.of(value);
    return this.#constant({ name: `uint8(${value})`, dtype: 'uint8', shape: [], data: { kind: 'inline', bytes } });
  }

  /** `[1]` */
  int64(value: number): string {
    const bytes = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
    return this.#constant({ name: `int64[${value}]`, dtype: 'int64', shape: [1], data: { kind: 'inline', bytes } });
  }

  /** One number for each token: `[tokens]` uint8. The nodes are shared, and come before all others. */
  perToken(value: number): string {
    const name = `tokens/uint8(${value})`;
    const shape = this.#names.lead({ name: 'tokens/Shape', op: 'Shape', inputs: [tokenInput], dtype: 'int64' });
    return this.#names.lead({ name, op: 'Expand', inputs: [this.uint8(value), shape], dtype: 'uint8' });
  }

  /** A tensor that is made before the graph is loaded. */
  derived(name: string, dtype: DType, shape: readonly number[]): string {
    return this.#constant({ name, dtype, shape, data: { kind: 'derived' } });
  }

  #constant(initializer: Initializer): string {
    return this.#names.constant(initializer);
  }
}
