import { join } from 'node:path';
import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { Graph, Port } from '../graph/graph.ts';
import { countTo, longestOf } from '../graph/layers/sizes.ts';
import { listNodes } from '../graph/list-nodes.ts';
import { parseOnnxGraph } from '../graph/onnx-graph.ts';
import { OnnxGraphError } from '../graph/onnx-tensor.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import { readOnnxFile } from '../store/onnx-file.ts';
import type { ModelShape } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { architectures, type FoundArchitecture, modelTypeOf } from './registry.ts';

const oldestOpset = 11; // Range and negative indices, which our own nodes need

/**
 * The graph of an ONNX file of a repository that has no other weights, as an architecture of its own.
 * - The file computes padded `[batch, longest]`; our nodes around it pad the packed rows and pack them again.
 * - Padding repeats the last token, under a mask of 0.
 * - A file that gives only whole vectors (`sentence_embedding`) has its own pooling: each token gets the vector of its
 *   sequence, so every pooling of ours gives that vector.
 * @throws WeightFileError, OnnxGraphError, ConfigFieldError
 */
export async function openOnnxModel(folder: string, file: string, config: unknown): Promise<FoundArchitecture> {
  const { skeleton, tensors } = readOnnxFile(join(folder, file));
  const graph = parseOnnxGraph(skeleton, tensors);
  const opset = graph.format?.opsets[''] ?? 0;
  if (opset < oldestOpset)
    throw new OnnxGraphError(
      `Expected version ${oldestOpset} of ONNX or later in ${file}, got ${opset}. Export it again.`,
    );
  for (const input of graph.inputs) checkInput(input);
  checkNodes(graph, file);
  const output = chooseOutput(graph.outputs);
  const shape = await describe(config, output.port);
  return {
    name: `${modelTypeOf(config)} (${file}${output.kind === 'sentence' ? ', pooled by the file' : ''})`,
    tensors,
    architecture: {
      prefixes: [],
      parseConfig: () => shape,
      describe: () => shape,
      build: (g, _config, inputs) => build(g, graph, output, shape.hidden, inputs),
    },
  };
}

/** How each input of a file is made of the packed ones. All give `[batch, longest]`. */
const sources: Readonly<Record<string, (g: GraphBuilder, inputs: PackedInputs) => Value>> = {
  input_ids: (g, { inputIds, padIndex }) => g.op('Gather', [inputIds, padIndex]),
  position_ids: (g, { positionIds, padIndex }) => g.op('Gather', [positionIds, padIndex]),
  attention_mask: (g, inputs) => {
    const positions = countTo(g, longestOf(g, inputs));
    const lengths = g.op('Unsqueeze', [g.cast(inputs.lengths, 'int64'), g.int64(1)]);
    return g.op('Less', [positions, lengths], { dtype: 'bool' });
  },
  token_type_ids: (g, { padIndex }) => g.op('Sub', [padIndex, padIndex]), // all 0
};

function checkInput({ name, shape = [] }: Port): void {
  if (!Object.hasOwn(sources, name))
    throw new OnnxGraphError(
      `Expected inputs among ${Object.keys(sources).join(', ')} in the ONNX file, got ${JSON.stringify(name)}.`,
    );
  if (shape.length !== 2 || shape.some((size) => typeof size === 'number'))
    throw new OnnxGraphError(
      `Expected the input ${name} of the ONNX file as [batch, length] of any size, got [${shape.join(', ')}]. Export it with dynamic axes.`,
    );
}

/** These take one scale from the numbers of the whole batch: a text would have other vectors beside other texts. */
const batchDependent: readonly string[] = ['DynamicQuantizeLinear', 'DynamicQuantizeMatMul'];

function checkNodes(graph: Graph, file: string): void {
  const ofFunctions = graph.format?.functions.flatMap(({ operators }) => operators) ?? [];
  const found = [...listNodes(graph).map(({ node }) => node.op), ...ofFunctions].find((op) =>
    batchDependent.includes(op),
  );
  if (found !== undefined)
    throw new OnnxGraphError(
      `Expected a graph whose vectors do not depend on the rest of the batch; ${file} holds ${found}. Use the float32 file.`,
    );
}

interface Output {
  /** A vector for each token, or one for the whole sequence. */
  readonly kind: 'tokens' | 'sentence';
  readonly port: Port;
}

function chooseOutput(outputs: readonly Port[]): Output {
  const floats = outputs.filter(({ dtype }) => dtype.includes('float'));
  const find = (names: readonly string[]) =>
    names.flatMap((name) => floats.find((port) => port.name === name) ?? [])[0];
  const named = find(['last_hidden_state', 'token_embeddings']);
  if (named !== undefined) return { kind: 'tokens', port: named };
  const [threeAxes, another] = floats.filter(({ shape }) => shape?.length === 3);
  if (threeAxes !== undefined && another === undefined) return { kind: 'tokens', port: threeAxes };
  const whole = find(['sentence_embedding', 'sentence_embeddings']);
  if (whole !== undefined) return { kind: 'sentence', port: whole };
  const list = outputs.map(({ name, shape }) => `${name} [${shape?.join(', ') ?? ''}]`).join(', ');
  throw new OnnxGraphError(
    `Expected last_hidden_state, token_embeddings or sentence_embedding among the outputs of the ONNX file, got ${list || 'none'}.`,
  );
}

/** By the architecture that config.json names, where it is one of ours: it knows what the fields mean. */
async function describe(config: unknown, { shape = [] }: Port): Promise<ModelShape> {
  const size = shape.at(-1);
  const modelType = modelTypeOf(config);
  const row = Object.values(architectures).find(({ modelTypes }) => modelTypes.includes(modelType));
  if (row !== undefined) {
    const known = await row.load();
    const described = known.describe(known.parseConfig(config));
    return typeof size === 'number' ? { ...described, hidden: size } : described;
  }
  const fields = new ConfigFields(config);
  return {
    hidden: typeof size === 'number' ? size : fields.integer('hidden_size'),
    layers: fields.integer('num_hidden_layers', { fallback: 1 }),
    vocabulary: fields.integer('vocab_size'),
    maxTokens: fields.integer('max_position_embeddings'),
    positions: { first: 0 },
  };
}

function build(g: GraphBuilder, graph: Graph, output: Output, hidden: number, inputs: PackedInputs): Value {
  const feeds = new Map(
    graph.inputs.map(({ name, dtype }) => [
      name,
      g.scope(`inputs/${name}`, () => g.cast(sources[name]!(g, inputs), dtype)), // checkInput let no other names in
    ]),
  );
  const given = g.include(graph, feeds).get(output.port.name)!; // an output of this graph
  return g.scope(`outputs/${output.port.name}`, () => {
    const vectors = g.cast(given, 'float32');
    if (output.kind === 'tokens')
      return g.op('Gather', [g.op('Reshape', [vectors, g.int64(-1, hidden)]), inputs.unpadIndex]);
    const sequence = g.op('Div', [g.cast(inputs.unpadIndex, 'int64'), longestOf(g, inputs)]);
    return g.op('Gather', [vectors, sequence]);
  });
}
