import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ModuleEntry } from '../../store/modules.ts';
import { readModules } from '../../store/modules.ts';
import { ConfigFieldError, ConfigFields } from '../config-fields.ts';
import { readJsonFile } from '../read-json-file.ts';
import { toDenseActivation } from './dense-activations.ts';
import type { Pipeline, Pooling, Step } from './pipeline.ts';
import { plainPipeline } from './pipeline.ts';
import { parsePooling } from './pooling-config.ts';
import type { Routes } from './routes.ts';
import { isRouter, readRoutes } from './routes.ts';

/** Thrown for a step of a model's own pipeline that no graph is built for; the message names it. */
export class UnbuiltModuleError extends Error {}

export interface PipelineOptions {
  /** Size of the last hidden state. */
  readonly hidden: number;
  /** config.json of the model, whose `architectures` decides where no modules.json does. */
  readonly config: unknown;
  /** Of a model with a Router; its default route when absent. */
  readonly route?: string | undefined;
  /** `truncate_dim` of config_sentence_transformers.json. */
  readonly truncateDimensions?: number | undefined;
}

/**
 * The pipeline that a model's sentence-transformers files declare.
 * @throws UnbuiltModuleError, ConfigFieldError, ModulesFileError
 */
export function readPipeline(folder: string, options: PipelineOptions): Pipeline {
  const { hidden, config, truncateDimensions } = options;
  const modules = readModules(folder);
  if (modules === undefined) return truncated(plainPipeline(defaultMode(config), hidden), truncateDimensions);
  const [input, ...rest] = modules;
  const isStatic = input?.kind === 'StaticEmbedding';
  if (input === undefined || !(isStatic || input.kind === 'Transformer')) throw unbuilt(input?.kind ?? 'nothing');

  let pooling: Pooling | undefined = isStatic ? { modes: ['mean'], includePrompt: true } : undefined;
  const stages = { tokens: [] as Step[], sentence: [] as Step[] };
  let size = hidden;
  for (const entry of rest.flatMap((module) => followRoute(folder, module, options.route))) {
    if (entry.kind === 'Pooling') {
      if (pooling !== undefined) throw new UnbuiltModuleError('its own pipeline pools twice');
      const file = join(folder, entry.path, 'config.json');
      pooling = parsePooling(readJsonFile(file), `${entry.path}/config.json`);
      size *= pooling.modes.length;
      continue;
    }
    const step = readStep(folder, entry, {
      size,
      works: pooling === undefined ? 'token_embeddings' : 'sentence_embedding',
    });
    if (step === undefined) continue;
    stages[pooling === undefined ? 'tokens' : 'sentence'].push(step);
    if (step.kind === 'dense') size = step.outputs;
  }
  if (pooling === undefined) throw new UnbuiltModuleError('its own pipeline has no step "Pooling"');
  // The last thing done to a vector is always L2 normalisation; once is enough.
  while (stages.sentence.at(-1)?.kind === 'normalize') stages.sentence.pop();
  const { tokens: tokenSteps, sentence: steps } = stages;
  return truncated({ tokenSteps, pooling, steps, dimensions: size, isTruncated: false }, truncateDimensions);
}

/** The routes of the model's Router, if it has one. @throws ModulesFileError, ConfigFieldError */
export function findRoutes(folder: string): Routes | undefined {
  const router = readModules(folder)?.slice(1).find(isRouter);
  return router && readRoutes(folder, router);
}

/** As sentence-transformers 6 chooses for a folder without modules.json: decoders end in the last token. */
function defaultMode(config: unknown): 'mean' | 'lasttoken' {
  const fields = new ConfigFields(config);
  const architectures = fields.value('architectures');
  const first: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  const isCausal = typeof first === 'string' && first.endsWith('ForCausalLM') && fields.value('is_causal') !== false;
  return isCausal ? 'lasttoken' : 'mean';
}

function followRoute(folder: string, module: ModuleEntry, route: string | undefined): readonly ModuleEntry[] {
  if (!isRouter(module)) return [module];
  const routes = readRoutes(folder, module);
  const steps = routes.steps.get(route ?? '') ?? routes.steps.get(routes.fallback ?? '');
  if (steps === undefined)
    throw new UnbuiltModuleError(
      `its own pipeline has a step "${module.kind}" without a default route; name one of ${[...routes.steps.keys()].join(', ')} as input_type or task`,
    );
  return steps;
}

interface StepPlace {
  /** Of the vectors the step gets. */
  readonly size: number;
  /** Which vectors those are, by the names of sentence-transformers. */
  readonly works: 'token_embeddings' | 'sentence_embedding';
}

/** The step, or undefined for one that does nothing here. */
function readStep(folder: string, { kind, path }: ModuleEntry, { size, works }: StepPlace): Step | undefined {
  const fileName = `${path}/config.json`;
  const fields = (): ConfigFields => new ConfigFields(readJsonFile(join(folder, path, 'config.json')), fileName);
  switch (kind) {
    case 'Dense': {
      const config = fields();
      checkPlace(config, { kind, works });
      const inputs = config.integer('in_features');
      if (inputs !== size)
        throw new ConfigFieldError(
          `Expected in_features of ${fileName} to be ${size}, the size of what it gets, got ${inputs}.`,
        );
      const classPath = config.optionalText('activation_function') ?? 'torch.nn.modules.activation.Tanh';
      const activation = toDenseActivation(classPath);
      if (activation === undefined)
        throw new UnbuiltModuleError(
          `its own pipeline has a step "Dense" with the activation ${JSON.stringify(classPath.slice(0, 80))}`,
        );
      return {
        kind: 'dense',
        path,
        inputs,
        outputs: config.integer('out_features'),
        bias: config.boolean('bias', true),
        activation,
        isResidual: config.boolean('use_residual', false),
      };
    }
    case 'LayerNorm': {
      if (works === 'token_embeddings') throw misplaced(kind);
      const declared = fields().integer('dimension');
      if (declared !== size)
        throw new ConfigFieldError(
          `Expected dimension of ${fileName} to be ${size}, the size of what it gets, got ${declared}.`,
        );
      return { kind: 'layer-norm', path, size };
    }
    case 'Normalize':
      // Older models have no file for it.
      if (existsSync(join(folder, path, 'config.json'))) checkPlace(fields(), { kind, works });
      else if (works === 'token_embeddings') return undefined; // there is no sentence embedding yet
      return { kind: 'normalize' };
    case 'Dropout': // does nothing outside of training
      return undefined;
    default:
      throw unbuilt(kind);
  }
}

/** A module may work on other vectors than those that stand where it does in the list; that is not built. */
function checkPlace(config: ConfigFields, { kind, works }: Pick<StepPlace, 'works'> & { readonly kind: string }): void {
  const input = config.optionalText('module_input_name') ?? 'sentence_embedding';
  const output = config.optionalText('module_output_name') ?? input;
  if (input !== works || output !== works) throw misplaced(kind);
}

function misplaced(kind: string): UnbuiltModuleError {
  return new UnbuiltModuleError(`its own pipeline has a step "${kind}" on other vectors than those before it`);
}

function unbuilt(kind: string): UnbuiltModuleError {
  return new UnbuiltModuleError(`its own pipeline has a step "${kind}"`);
}

function truncated(pipeline: Pipeline, dimensions = Infinity): Pipeline {
  return dimensions < pipeline.dimensions ? { ...pipeline, dimensions, isTruncated: true } : pipeline;
}
