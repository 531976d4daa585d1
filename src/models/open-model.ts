import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GraphBuilder, WeightError } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import type { PoolingMode } from '../graph/layers/pooling.ts';
import { declarePackedInputs } from '../graph/packed-inputs.ts';
import type { Provider } from '../graph/passes/all.ts';
import { optimize } from '../graph/passes/all.ts';
import { WeightFileError } from '../store/file-reader.ts';
import { findForeignFile, findForeignLink } from '../store/model-bounds.ts';
import { findModelRoot } from '../store/modules.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import { findWeightFiles, readWeights } from '../store/weight-files.ts';
import type { ModelShape } from './architecture.ts';
import { readDeclaredPooling } from './declared-pooling.ts';
import { buildPipeline } from './pipeline/build-pipeline.ts';
import { readModuleWeights } from './pipeline/module-weights.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import { plainPipeline } from './pipeline/pipeline.ts';
import type { Prompts } from './pipeline/prompts.ts';
import { readPrompts, readTruncateDim } from './pipeline/prompts.ts';
import { findRoutes, readPipeline } from './pipeline/read-pipeline.ts';
import type { TextSettings } from './pipeline/text-settings.ts';
import { noTextSettings, readTextSettings } from './pipeline/text-settings.ts';
import { readJsonFile } from './read-json-file.ts';
import { findUnusedTensors } from './unused-tensors.ts';
import { findArchitecture, type FoundArchitecture, modelTypeOf } from './registry.ts';

/** A model folder understood: what it is, and the graph that computes it. */
export interface Model {
  readonly architecture: string;
  readonly shape: ModelShape;
  readonly tensors: TensorIndex;
  /** The one folder that holds every file of the weights; the graph names files without their folder. */
  readonly weightsFolder: string;
  /** The folder of config.json, weights and tokenizer: the model's own, or one below it. */
  readonly root: string;
  readonly declaredPooling: string | undefined;
  /** Names of the adapters the checkpoint holds; `compile` applies the one asked for. */
  readonly tasks: readonly string[];
  /** @throws ConfigFieldError */
  readonly readPrompts: () => Prompts;
  /** What its sentence-transformers files say about texts. @throws ConfigFieldError */
  readonly readTextSettings: () => TextSettings;
  /** The routes of its own pipeline, where that has several. @throws ConfigFieldError, ModulesFileError */
  readonly readRoutes: () => readonly string[];
  /**
   * Its own pipeline, by the route of that name where it has routes.
   * @throws UnbuiltModuleError, ConfigFieldError, ModulesFileError
   */
  readonly readPipeline: (options?: { readonly route?: string | undefined }) => Pipeline;
  /** The graph that gives unit vectors `[batch, dimensions]` under the name `embeddings`. @throws WeightError */
  readonly compile: (options: CompileOptions) => Graph;
  /** Tensors of the checkpoint that a graph of it leaves out without a rule: a part of the model this service does not know. */
  readonly unusedTensors: (graph: Graph) => readonly string[];
}

export interface CompileOptions {
  /** One pooling and nothing else, or the model's own pipeline. */
  readonly pooling: PoolingMode | Pipeline;
  readonly provider: Provider;
  /** One of `tasks`. */
  readonly task?: string | undefined;
}

/** Thrown when no architecture of the registry computes the model. */
export class UnknownArchitectureError extends Error {}

/** @throws UnknownArchitectureError, ConfigFieldError, WeightFileError, WeightError, OnnxGraphError */
export async function openModel(folder: string): Promise<Model> {
  refuseForeign(folder, findForeignLink(folder));
  const { folder: root, kind } = findModelRoot(folder);
  const json = readConfig(root, kind);
  const found = await find(root, json);
  if (found === undefined)
    throw new UnknownArchitectureError(`no graph is built for model_type "${modelTypeOf(json)}" with these tensors`);
  const { name, architecture, tensors } = found;
  refuseForeign(folder, findForeignFile(folder, new Set([...tensors.values()].map(({ file }) => file))));
  const config = architecture.parseConfig(json, tensors);
  const shape = architecture.describe(config);
  return {
    architecture: name,
    shape,
    tensors,
    weightsFolder: weightsFolderOf(tensors),
    root,
    declaredPooling: readDeclaredPooling(folder),
    tasks: architecture.tasks?.(config) ?? [],
    readPrompts: () => readPrompts(folder),
    readTextSettings: () => (kind === 'StaticEmbedding' ? noTextSettings : readTextSettings(root)),
    readRoutes: () => [...(findRoutes(folder)?.steps.keys() ?? [])],
    readPipeline: ({ route } = {}) => {
      const truncateDimensions = readTruncateDim(folder);
      return readPipeline(folder, { hidden: shape.hidden, config: json, route, truncateDimensions });
    },
    compile: ({ pooling, provider, task }) => {
      const pipeline = typeof pooling === 'string' ? plainPipeline(pooling, shape.hidden) : pooling;
      const g = new GraphBuilder(new Map([...tensors, ...readModuleWeights(folder, pipeline)]));
      const inputs = declarePackedInputs(g);
      const hidden = architecture.build(g, config, inputs, task);
      const embeddings = buildPipeline(g, pipeline, hidden, inputs);
      const graph = g.finish(name, [{ name: 'embeddings', value: embeddings, shape: ['batch', pipeline.dimensions] }]);
      return optimize(graph, provider);
    },
    unusedTensors: (graph) => findUnusedTensors(graph, tensors, architecture),
  };
}

/** @throws WeightFileError where there is one */
function refuseForeign(folder: string, path: string | undefined): void {
  if (path === undefined) return;
  throw new WeightFileError(
    `Expected the files of the model in its own folder ${folder}, ${path} is a link that leads outside. Put the file itself there.`,
  );
}

async function find(root: string, config: unknown): Promise<FoundArchitecture | undefined> {
  const weights = findWeightFiles(root);
  if (weights?.format !== 'onnx') return findArchitecture(config, readWeights(root));
  const { openOnnxModel } = await import('./onnx-model.ts'); // with a parser that no other model needs
  return openOnnxModel(root, weights.file, config);
}

/** A static embedding may come without config.json, or with one about the model it was made from. */
export function readConfig(root: string, kind: string): unknown {
  const file = join(root, 'config.json');
  if (kind !== 'StaticEmbedding') return readJsonFile(file);
  const json = existsSync(file) ? readJsonFile(file) : {};
  return { ...(json as object), model_type: kind };
}

/** Links of the Hugging Face cache are resolved here: its shards are blobs side by side. */
function weightsFolderOf(tensors: TensorIndex): string {
  const [folder, another] = new Set([...tensors.values()].map((view) => dirname(view.file)));
  if (folder === undefined) throw new WeightError('The checkpoint holds no tensors.');
  if (another !== undefined) throw new WeightError(`Expected the weights in one folder, got ${folder} and ${another}.`);
  return folder;
}
