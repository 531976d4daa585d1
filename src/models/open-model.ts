import { dirname, join } from 'node:path';
import { GraphBuilder, WeightError } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { normalize } from '../graph/layers/normalize.ts';
import type { PoolingName } from '../graph/layers/pooling.ts';
import { poolings } from '../graph/layers/pooling.ts';
import { declarePackedInputs } from '../graph/packed-inputs.ts';
import type { Provider } from '../graph/passes/all.ts';
import { optimize } from '../graph/passes/all.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import { readWeights } from '../store/weight-files.ts';
import type { ModelShape } from './architecture.ts';
import { readDeclaredPooling } from './declared-pooling.ts';
import { openOnnxModel } from './onnx-model.ts';
import { readJsonFile } from './read-json-file.ts';
import { findUnusedTensors } from './unused-tensors.ts';
import { readUnbuiltModules } from './unbuilt-modules.ts';
import { findArchitecture, modelTypeOf } from './registry.ts';

/** A model folder understood: what it is, and the graph that computes it. */
export interface Model {
  readonly architecture: string;
  readonly shape: ModelShape;
  readonly tensors: TensorIndex;
  /** The one folder that holds every file of the weights; the graph names files without their folder. */
  readonly weightsFolder: string;
  readonly declaredPooling: string | undefined;
  /** Steps of its own pipeline that no graph is built for. */
  readonly unbuiltModules: readonly string[];
  /** Names of the adapters the checkpoint holds; `compile` applies the one asked for. */
  readonly tasks: readonly string[];
  /** The graph that gives unit vectors `[batch, hidden]` under the name `embeddings`. */
  readonly compile: (options: CompileOptions) => Graph;
  /** Tensors of the checkpoint that a graph of it leaves out without a rule: a part of the model this service does not know. */
  readonly unusedTensors: (graph: Graph) => readonly string[];
}

export interface CompileOptions {
  readonly pooling: PoolingName;
  readonly provider: Provider;
  /** One of `tasks`. */
  readonly task?: string | undefined;
}

/** Thrown when no architecture of the registry computes the model. */
export class UnknownArchitectureError extends Error {}

/** @throws UnknownArchitectureError, ConfigFieldError, WeightFileError, WeightError, OnnxGraphError */
export function openModel(folder: string): Model {
  const json = readJsonFile(join(folder, 'config.json'));
  const found = openOnnxModel(folder, json) ?? findArchitecture(json, readWeights(folder));
  if (found === undefined)
    throw new UnknownArchitectureError(`no graph is built for model_type "${modelTypeOf(json)}" with these tensors`);
  const { name, architecture, tensors } = found;
  const config = architecture.parseConfig(json);
  const shape = architecture.describe(config);
  return {
    architecture: name,
    shape,
    tensors,
    weightsFolder: weightsFolderOf(tensors),
    declaredPooling: readDeclaredPooling(folder),
    unbuiltModules: readUnbuiltModules(folder),
    tasks: architecture.tasks?.(config) ?? [],
    compile: ({ pooling, provider, task }) => {
      const g = new GraphBuilder(tensors);
      const inputs = declarePackedInputs(g);
      const hidden = architecture.build(g, config, inputs, task);
      const embeddings = normalize(g, poolings[pooling](g, hidden, inputs));
      const graph = g.finish(name, [{ name: 'embeddings', value: embeddings, shape: ['batch', shape.hidden] }]);
      return optimize(graph, provider);
    },
    unusedTensors: (graph) => findUnusedTensors(graph, tensors, architecture),
  };
}

/** Links of the Hugging Face cache are resolved here: its shards are blobs side by side. */
function weightsFolderOf(tensors: TensorIndex): string {
  const [folder, another] = new Set([...tensors.values()].map((view) => dirname(view.file)));
  if (folder === undefined) throw new WeightError('The checkpoint holds no tensors.');
  if (another !== undefined) throw new WeightError(`Expected the weights in one folder, got ${folder} and ${another}.`);
  return folder;
}
