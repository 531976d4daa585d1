import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ModuleEntry } from '../../store/modules.ts';
import { ConfigFieldError, ConfigFields } from '../config-fields.ts';
import { readJsonFile } from '../read-json-file.ts';
import { toDenseActivation } from './dense-activations.ts';
import type { Step } from './pipeline.ts';
import { UnbuiltModuleError, unbuiltModule } from './unbuilt-module.ts';

export interface StepPlace {
  /** Of the vectors the step gets. */
  readonly size: number;
  /** Which vectors those are, by the names of sentence-transformers. */
  readonly works: 'token_embeddings' | 'sentence_embedding';
}

/**
 * One step beside pooling, or undefined for one that does nothing here.
 * @throws UnbuiltModuleError, ConfigFieldError naming the file
 */
export function readStep(folder: string, { kind, path }: ModuleEntry, { size, works }: StepPlace): Step | undefined {
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
      throw unbuiltModule(kind);
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
