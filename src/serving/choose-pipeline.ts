import { ServiceError } from '../errors.ts';
import type { Model } from '../models/open-model.ts';
import type { Pipeline } from '../models/pipeline/pipeline.ts';
import { plainPipeline } from '../models/pipeline/pipeline.ts';
import { UnbuiltModuleError } from '../models/pipeline/unbuilt-module.ts';

export interface PipelineChoice {
  readonly name: string;
  readonly model: Pick<Model, 'declaredPooling' | 'readPipeline' | 'shape'>;
  /** `mean` for every model, or `model` to follow the model's own files. */
  readonly wanted: 'mean' | 'model';
  /** The route through a pipeline that has several. */
  readonly route?: string | undefined;
  /** Told when the model's files declare another pooling than the one used. */
  readonly onOther: (declared: string) => void;
}

/** @throws ServiceError `architecture_not_supported` when the model's own pipeline cannot be followed */
export function choosePipeline({ name, model, wanted, route, onOther }: PipelineChoice): Pipeline {
  if (wanted === 'mean') {
    const declared = model.declaredPooling ?? 'mean';
    if (declared !== 'mean') onOther(declared);
    return plainPipeline('mean', model.shape.hidden);
  }
  try {
    return model.readPipeline({ route });
  } catch (error) {
    if (!(error instanceof UnbuiltModuleError)) throw error;
    const reason = `${error.message}; pooling=mean does without its own pipeline`;
    throw new ServiceError('architecture_not_supported', { model: name, reason }, { cause: error });
  }
}
