import type { TensorView } from '../../store/safetensors.ts';
import type { Graph, Initializer, Node } from '../graph.ts';
import { readsOf } from '../list-nodes.ts';
import { weightDTypes } from '../types.ts';
import { tokenInput } from './node-list.ts';

/** A linear layer whose weight is a matrix of the checkpoint as it lies there. */
export interface Linear {
  readonly node: Node;
  /** Name of the value it reads, `[rows, inputs]`. */
  readonly input: string;
  /** `[outputs, inputs]` */
  readonly weight: TensorView;
  readonly bias: string | undefined;
}

/**
 * The linear layers of a graph that are large enough to be worth quantising. Those after pooling, whose weights travel
 * inside the graph, are not among them, nor are those of experts, which may get no rows, and those of constants.
 */
export function findLinears(graph: Graph, constants = new Constants(graph)): readonly Linear[] {
  return graph.nodes.flatMap((node) => {
    const [input, weightName, bias] = node.inputs;
    const { transB, ...others } = node.attributes;
    if (node.op !== 'Gemm' || input === undefined || constants.has(input)) return [];
    if (transB?.kind !== 'int' || transB.value !== 1 || Object.keys(others).length > 0) return [];
    if (!constants.isOfTokens(input) || constants.producer(input)?.op === 'Gather') return [];
    const weight = constants.view(weightName);
    if (weight === undefined || weight.shape.length !== 2 || Math.min(...weight.shape) < smallestSide) return [];
    return [{ node, input, weight, bias: bias === '' ? undefined : bias }];
  });
}

const smallestSide = 32; // a smaller matrix costs next to nothing

/** What is known of the values of a graph before it runs. */
export class Constants {
  readonly #initializers: ReadonlyMap<string, Initializer>;
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #ofTokens = new Set([tokenInput]);

  constructor({ initializers, nodes }: Graph) {
    this.#initializers = new Map(initializers.map((initializer) => [initializer.name, initializer]));
    this.#producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
    for (const node of nodes)
      if (readsOf(node).some((name) => this.#ofTokens.has(name)))
        for (const output of node.outputs) this.#ofTokens.add(output);
  }

  /** The norm that a value comes out of. */
  normOf(value: string | undefined): Node | undefined {
    const node = this.producer(value);
    return node?.op === 'LayerNormalization' || node?.op === 'SimplifiedLayerNormalization' ? node : undefined;
  }

  /** Whether a value depends on the tokens of the batch. */
  isOfTokens(value: string): boolean {
    return this.#ofTokens.has(value);
  }

  has(value: string): boolean {
    return this.#initializers.has(value);
  }

  producer(value: string | undefined): Node | undefined {
    return value === undefined ? undefined : this.#producers.get(value);
  }

  /** The tensor of the checkpoint that a value is, maybe in another float format; undefined for everything else. */
  view(value: string | undefined): TensorView | undefined {
    if (value === undefined) return undefined;
    const producer = this.#producers.get(value);
    if (producer?.op === 'Cast') return this.view(producer.inputs[0]);
    const initializer = this.#initializers.get(value);
    if (initializer?.data.kind !== 'checkpoint') return undefined;
    const { view } = initializer.data;
    if (view.bytes !== undefined || weightDTypes[view.type] === undefined) return undefined;
    return { ...view, name: initializer.name, shape: initializer.shape }; // of a part of a tensor its own
  }
}
