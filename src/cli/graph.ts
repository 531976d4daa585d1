import { availableParallelism } from 'node:os';
import { loadConfig } from '../config.ts';
import { Session } from '../engine/session.ts';
import { cut, cutOutput } from '../graph/cut.ts';
import type { Graph } from '../graph/graph.ts';
import type { PoolingMode } from '../graph/layers/pooling.ts';
import { type ListedNode, listNodes } from '../graph/list-nodes.ts';
import type { Provider } from '../graph/passes/all.ts';
import { printGraph, printNodes } from '../graph/print.ts';
import { serialize } from '../graph/serialize.ts';
import { type Model, openModel } from '../models/open-model.ts';
import { encodeItems } from '../tokenizer/encode-items.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { CliError } from './cli-error.ts';
import type { CliContext } from './context.ts';
import { findFolder } from './find-model.ts';
import { packSequences } from './pack-sequences.ts';
import { summarizeValues, type ValueSummary } from './summarize-values.ts';
import { formatTable } from './table.ts';
import { writeOut } from './write-out.ts';

export interface GraphOptions {
  /** `model` follows the model's own files. */
  readonly pooling: PoolingMode | 'model';
  readonly provider: Provider;
  /** Print the nodes only. */
  readonly nodes: boolean;
  /** Number or name of the node whose value is printed instead of the graph. */
  readonly stopAfter?: string | undefined;
  readonly text?: readonly string[] | undefined;
  readonly json: boolean;
}

const defaultText = 'The quick brown fox jumps over the lazy dog';
const shownValues = 12;

/** Prints the graph of a model, or runs it up to one node and prints that node's value. */
export async function inspectGraph(target: string, options: GraphOptions, context: CliContext): Promise<void> {
  const { stopAfter, text, json, nodes } = options;
  if (stopAfter === undefined && (text !== undefined || json)) {
    throw new CliError('expected --stop-after with --text and --json: they are about the value of a node', {
      exitCode: 2,
    });
  }
  if (stopAfter !== undefined && nodes)
    throw new CliError('expected --nodes or --stop-after, got both', { exitCode: 2 });
  const folder = findFolder(target, loadConfig(context).config);
  const model = await openModel(folder);
  const { pooling, provider } = options;
  const graph = model.compile({ pooling: pooling === 'model' ? model.readPipeline() : pooling, provider });
  if (stopAfter === undefined) return writeOut(context.stdout, nodes ? printNodes(graph) : printGraph(graph));
  const listed = findNode(graph, stopAfter);
  const ids = await tokenize(model, text ?? [defaultText]);
  const value = await run(cut(graph, listed), { model, provider: options.provider, ids });
  await writeOut(context.stdout, json ? toJson(listed, ids, value) : toText(listed, ids, value));
}

function findNode(graph: Graph, wanted: string): ListedNode {
  const listed = listNodes(graph);
  const found = /^\d+$/.test(wanted) ? listed[Number(wanted)] : listed.find(({ node }) => node.name === wanted);
  if (found !== undefined) return found;
  const similar = listed.filter(({ node }) => node.name.toLowerCase().includes(wanted.toLowerCase())).slice(0, 5);
  const hint =
    similar.length === 0 ? 'see --nodes' : `did you mean ${similar.map(({ node }) => node.name).join(', ')}?`;
  throw new CliError(`expected the name of a node or a number from 0 to ${listed.length - 1}, got ${wanted}; ${hint}`, {
    exitCode: 2,
  });
}

async function tokenize({ root, shape }: Model, texts: readonly string[]): Promise<readonly Int32Array[]> {
  const limits = {
    maxTokens: shape.maxTokens,
    maxRequestTokens: Infinity,
    vocabulary: shape.vocabulary,
    truncate: false,
  };
  const items = texts.map((text) => ({ kind: 'text' as const, text }));
  return (await encodeItems(await Tokenizer.load(root, shape.tokens), items, limits)).map(({ ids }) => ids);
}

interface NodeValue {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface RunOptions {
  readonly model: Model;
  readonly provider: Provider;
  readonly ids: readonly Int32Array[];
}

async function run(graph: Graph, { model, provider, ids }: RunOptions): Promise<NodeValue> {
  const session = await Session.load({
    model: serialize(graph),
    weightsFolder: model.weightsFolder,
    threads: availableParallelism(),
    provider,
    positions: model.shape.positions,
  });
  try {
    const value = (await session.dump(packSequences(ids.map((sequence) => ({ ids: sequence })))))[cutOutput];
    if (value === undefined) throw new Error(`The graph has no output "${cutOutput}". This is a bug.`);
    return { shape: value.dims, values: Array.from(value.data as ArrayLike<number | bigint>, Number) }; // no graph gives strings
  } finally {
    await session.close();
  }
}

function toText({ number, node }: ListedNode, ids: readonly Int32Array[], { shape, values }: NodeValue): string {
  const summary = summarizeValues(values);
  const rest = values.length > shownValues ? `, ... (${values.length} in all, --json prints them)` : '';
  return formatTable([
    ['node', `${number} ${node.name}`],
    ['op', node.op],
    ['value', `${node.dtype ?? 'as float32'} [${shape.join(', ')}]`],
    ['tokens', ids.map((sequence) => `[${sequence.join(', ')}]`).join(' ')],
    ['range', describeRange(summary)],
    ['NaN', String(summary.nanCount)],
    ['infinite', String(summary.infiniteCount)],
    ['values', `${values.slice(0, shownValues).map(toShort).join(', ')}${rest}`],
  ]);
}

function describeRange({ min, max, mean }: ValueSummary): string {
  if (min === null || max === null || mean === null) return 'no finite value';
  return `min ${toShort(min)}, max ${toShort(max)}, mean ${toShort(mean)}`;
}

function toShort(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** JSON has no NaN and no infinity: they are strings here. */
function toJson({ number, node }: ListedNode, ids: readonly Int32Array[], { shape, values }: NodeValue): string {
  const head = {
    number,
    name: node.name,
    op: node.op,
    dtype: node.dtype,
    shape,
    ids: ids.map((sequence) => [...sequence]),
  };
  const finiteOrText = values.map((value) => (Number.isFinite(value) ? value : String(value)));
  return `${JSON.stringify({ ...head, ...summarizeValues(values), values: finiteOrText })}\n`;
}
