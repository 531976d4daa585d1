import type { TensorIndex } from '../store/safetensors.ts';
import type { Attribute, Dimension, DType, Graph, GraphFormat, Initializer, Node, Port } from './graph.ts';
import { int, ints, subgraph } from './graph.ts';
import { findWeight } from './find-weight.ts';
import { renameValues } from './rename.ts';
import { typeCodes, weightDTypes } from './types.ts';

/** A value of a graph under construction. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
}

export interface OpOptions {
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly domain?: Node['domain'];
  /** Of the result; that of the first input when absent. */
  readonly dtype?: DType;
  /** Outputs that the operator must have beside its first, and that nobody reads. */
  readonly unreadOutputs?: number;
}

export interface RowRange {
  readonly from: number;
  readonly rows: number;
}

/** Thrown when a checkpoint lacks a tensor the architecture needs, or holds it in another shape or number format. */
export class WeightError extends Error {}

/** Collects nodes in execution order; weights are referred to by the names of the checkpoint. */
export class GraphBuilder {
  readonly #weights: TensorIndex;
  readonly #nodes: Node[] = [];
  readonly #inputs: Port[] = [];
  readonly #initializers: Map<string, Initializer>;
  readonly #floats: Map<string, Value>;
  readonly #transposed: Map<string, Value>;
  readonly #names: Map<string, number>;
  readonly #path: string[];
  #format: GraphFormat | undefined;

  constructor(weights: TensorIndex, parent?: GraphBuilder) {
    this.#weights = weights;
    this.#initializers = parent ? parent.#initializers : new Map();
    // What is made inside a branch is not visible outside it.
    this.#floats = new Map(parent ? parent.#floats : []);
    this.#transposed = new Map(parent ? parent.#transposed : []);
    this.#names = parent ? parent.#names : new Map();
    this.#path = parent ? [...parent.#path] : [];
  }

  input(name: string, dtype: DType, shape: readonly Dimension[]): Value {
    this.#inputs.push({ name, dtype, shape });
    return { name, dtype };
  }

  /** Names every node that `body` adds with `path`, the module's path in the checkpoint. */
  scope<T>(path: string, body: () => T): T {
    this.#path.push(path);
    try {
      return body();
    } finally {
      this.#path.pop();
    }
  }

  hasWeight(name: string): boolean {
    return this.#weights.has(name);
  }

  /**
   * A tensor of the checkpoint in its own number format, one of `formats`.
   * @throws WeightError when it is missing, has another shape, or another format
   */
  storedWeight(name: string, shape: readonly number[], formats = weightDTypes): Value {
    const { view, dtype } = this.#found(name, shape, formats);
    const axes = view.axesInFile;
    if (axes === undefined) return this.#checkpointValue({ name, dtype, shape, data: { kind: 'checkpoint', view } });
    const stored = axes.map((axis) => shape[axis]!); // axes of this shape
    return this.#inOrder(
      this.#checkpointValue({ name, dtype, shape: stored, data: { kind: 'checkpoint', view } }),
      axes,
    );
  }

  /** A tensor of the checkpoint as float32. ONNX Runtime folds the cast when it loads the graph. @throws WeightError */
  weight(name: string, shape: readonly number[]): Value {
    return this.#widened(this.storedWeight(name, shape));
  }

  /**
   * Rows `from` to `from + rows` of a tensor of the checkpoint as float32: one part of a fused weight, not copied.
   * @throws WeightError as `storedWeight` does
   */
  weightRows(name: string, shape: readonly number[], { from, rows }: RowRange): Value {
    const { view, dtype } = this.#found(name, shape);
    if (view.axesInFile !== undefined) return this.#slicedRows(this.weight(name, shape), { from, rows });
    const rowBytes = view.byteLength / shape[0]!;
    const part = { ...view, offset: view.offset + from * rowBytes, byteLength: rows * rowBytes };
    return this.#widened(
      this.#checkpointValue({
        name: `${name}[${from}:${from + rows}]`,
        dtype,
        shape: [rows, ...shape.slice(1)],
        data: { kind: 'checkpoint', view: part },
      }),
    );
  }

  cast(value: Value, dtype: DType): Value {
    if (value.dtype === dtype) return value;
    return this.op('Cast', [value], { attributes: { to: int(typeCodes[dtype]) }, dtype });
  }

  /** A small tensor of int64, the type of shapes and axes in ONNX. */
  int64(...values: readonly number[]): Value {
    return this.#inline(`int64[${values.join(',')}]`, 'int64', [values.length], BigInt64Array.from(values.map(BigInt)));
  }

  /** An int64 number without dimensions. */
  index(value: number): Value {
    return this.#inline(`int64(${value})`, 'int64', [], BigInt64Array.of(BigInt(value)));
  }

  /** A float32 number without dimensions. */
  scalar(value: number): Value {
    return this.#inline(`float32(${value})`, 'float32', [], Float32Array.of(value));
  }

  /** A small float32 tensor. `key` names it: one key stands for the same numbers everywhere in a graph. */
  floats(key: string, values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#inline(`float32[${key}]`, 'float32', shape, Float32Array.from(values));
  }

  op(op: string, inputs: readonly (Value | undefined)[], options: OpOptions = {}): Value {
    const { attributes = {}, domain = '', unreadOutputs = 0 } = options;
    const dtype = options.dtype ?? inputs[0]?.dtype;
    if (dtype === undefined) throw new Error(`${op} needs a dtype. This is a bug.`);
    const name = this.#uniqueName(op);
    this.#nodes.push({
      name,
      op,
      domain,
      inputs: inputs.map((input) => input?.name ?? ''),
      outputs: [name, ...Array.from({ length: unreadOutputs }, (_, index) => `${name}:${index + 1}`)],
      dtype,
      attributes,
    });
    return { name, dtype };
  }

  /** `condition ? whenTrue : whenFalse`; only the branch taken is computed. */
  branch(condition: Value, whenTrue: (g: GraphBuilder) => Value, whenFalse: (g: GraphBuilder) => Value): Value {
    const then = this.#subgraph('then', (g) => whenTrue(g));
    const otherwise = this.#subgraph('else', (g) => whenFalse(g));
    if (then.value.dtype !== otherwise.value.dtype)
      throw new Error(`One branch gives ${then.value.dtype}, the other ${otherwise.value.dtype}. This is a bug.`);
    return this.op('If', [condition], {
      attributes: { then_branch: subgraph(then.graph), else_branch: subgraph(otherwise.graph) },
      dtype: then.value.dtype,
    });
  }

  /**
   * Runs `body` for 0, 1, ... `count - 1` and stacks what it gives: `[count, ...]`. count: `[]` int64. All results have
   * one shape.
   */
  loop(count: Value, body: (g: GraphBuilder, index: Value) => Value): Value {
    const { graph, value } = this.#subgraph('body', body, (inner) => [
      inner.input(inner.#uniqueName('index'), 'int64', []),
      inner.input(inner.#uniqueName('condition'), 'bool', []),
    ]);
    return this.op('Loop', [count, undefined], { attributes: { body: subgraph(graph) }, dtype: value.dtype });
  }

  /**
   * Adds a whole graph, such as that of an ONNX file, with `feeds` in place of its inputs. Its values get the prefix
   * `file:`, which no value of ours has; the graph built takes over its version of ONNX.
   * Gives its outputs by name.
   */
  include(graph: Graph, feeds: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
    const rename = (name: string): string => feeds.get(name)?.name ?? `file:${name}`;
    const { nodes, initializers, outputs } = renameValues(graph, rename);
    for (const node of nodes) this.#nodes.push(node);
    for (const initializer of initializers) this.#initializers.set(initializer.name, initializer);
    this.#format = graph.format;
    return new Map(graph.outputs.map(({ name, dtype }, index) => [name, { name: outputs[index]!.name, dtype }])); // renamed one by one
  }

  finish(
    name: string,
    outputs: readonly { readonly value: Value; readonly name: string; readonly shape?: readonly Dimension[] }[],
  ): Graph {
    for (const { value, name: output } of outputs)
      this.#nodes.push({
        name: output,
        op: 'Identity',
        domain: '',
        inputs: [value.name],
        outputs: [output],
        dtype: value.dtype,
        attributes: {},
      });
    return {
      name,
      inputs: [...this.#inputs],
      outputs: outputs.map(({ value, ...port }) => ({ ...port, dtype: value.dtype })),
      nodes: [...this.#nodes],
      initializers: [...this.#initializers.values()],
      ...(this.#format === undefined ? {} : { format: this.#format }),
    };
  }

  /**
   * A subgraph sees the values of its parent; its constants are kept by the outermost graph. What a loop runs takes the
   * index and the condition to go on, and gives the condition back before its result.
   */
  #subgraph(
    label: string,
    body: (g: GraphBuilder, index: Value) => Value,
    declareInputs: (g: GraphBuilder) => readonly Value[] = () => [],
  ): { readonly graph: Graph; readonly value: Value } {
    const inner = new GraphBuilder(this.#weights, this);
    return inner.scope(label, () => {
      const [index, condition] = declareInputs(inner);
      const result = body(inner, index ?? { name: '', dtype: 'int64' });
      const goesOn = condition === undefined ? [] : [inner.op('Identity', [condition])];
      // ONNX lets a subgraph give only values it made itself.
      const isOwn = inner.#nodes.some((node) => node.outputs.includes(result.name));
      const value = isOwn ? result : inner.op('Identity', [result]);
      const graph: Graph = {
        name: label,
        inputs: inner.#inputs,
        outputs: [...goesOn, value].map(({ name, dtype }) => ({ name, dtype })),
        nodes: inner.#nodes,
        initializers: [],
      };
      return { graph, value };
    });
  }

  #found(name: string, shape: readonly number[], formats = weightDTypes): ReturnType<typeof findWeight> {
    return findWeight(this.#weights, { name, shape, formats }, (message) => new WeightError(message));
  }

  #checkpointValue(initializer: Initializer): Value {
    if (!this.#initializers.has(initializer.name)) this.#initializers.set(initializer.name, initializer);
    return { name: initializer.name, dtype: initializer.dtype };
  }

  #widened(stored: Value): Value {
    const known = this.#floats.get(stored.name);
    if (known !== undefined) return known;
    const value = this.cast(stored, 'float32');
    this.#floats.set(stored.name, value);
    return value;
  }

  /** A tensor whose axes lie in another order in the file, turned. ONNX Runtime folds it when it loads the graph. */
  #inOrder(stored: Value, axes: readonly number[]): Value {
    const known = this.#transposed.get(stored.name);
    if (known !== undefined) return known;
    const perm = axes.map((_, axis) => axes.indexOf(axis));
    const value = this.op('Transpose', [stored], { attributes: { perm: ints(perm) } });
    this.#transposed.set(stored.name, value);
    return value;
  }

  /** Rows of a tensor that lie apart in the file. */
  #slicedRows(value: Value, { from, rows }: RowRange): Value {
    return this.op('Slice', [value, this.int64(from), this.int64(from + rows), this.int64(0)]);
  }

  #inline(name: string, dtype: DType, shape: readonly number[], data: BigInt64Array | Float32Array): Value {
    const bytes = new Uint8Array(data.buffer);
    if (!this.#initializers.has(name))
      this.#initializers.set(name, { name, dtype, shape, data: { kind: 'inline', bytes } });
    return { name, dtype };
  }

  #uniqueName(op: string): string {
    const base = [...this.#path, op].join('/');
    const count = (this.#names.get(base) ?? 0) + 1;
    this.#names.set(base, count);
    return count === 1 ? base : `${base}_${count}`;
  }
}
