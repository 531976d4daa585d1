import { join } from 'node:path';
import type { ModuleEntry } from '../../store/modules.ts';
import { readModules } from '../../store/modules.ts';
import { ConfigFields } from '../config-fields.ts';
import { readJsonFile } from '../read-json-file.ts';
import type { Pipeline, Pooling, Step } from './pipeline.ts';
import { plainPipeline } from './pipeline.ts';
import { parsePooling } from './pooling-config.ts';
import { readStep } from './read-step.ts';
import type { Routes } from './routes.ts';
import { isRouter, readRoutes } from './routes.ts';
import { UnbuiltModuleError, unbuiltModule } from './unbuilt-module.ts';

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
  if (input === undefined) throw new UnbuiltModuleError('its own pipeline has no steps');
  if (!isStatic && input.kind !== 'Transformer') throw unbuiltModule(input.kind);

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

function truncated(pipeline: Pipeline, dimensions = Infinity): Pipeline {
  return dimensions < pipeline.dimensions ? { ...pipeline, dimensions, isTruncated: true } : pipeline;
}
