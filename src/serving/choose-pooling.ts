import { ServiceError } from '../errors.ts';
import type { PoolingName } from '../graph/layers/pooling.ts';
import { isPoolingName } from '../graph/layers/pooling.ts';
import type { Model } from '../models/open-model.ts';

export interface PoolingChoice {
  readonly name: string;
  readonly model: Pick<Model, 'declaredPooling' | 'unbuiltModules'>;
  /** `mean` for every model, or `model` to follow the model's own files. */
  readonly wanted: 'mean' | 'model';
  /** Told when the model's files declare another pooling than the one used. */
  readonly onOther: (declared: string) => void;
}

/** @throws ServiceError `architecture_not_supported` when the model's own pipeline cannot be followed */
export function choosePooling({ name, model, wanted, onOther }: PoolingChoice): PoolingName {
  const declared = model.declaredPooling ?? 'mean'; // the default of sentence-transformers too
  if (wanted === 'mean') {
    if (declared !== 'mean') onOther(declared);
    return 'mean';
  }
  const notBuilt = (reason: string) => new ServiceError('architecture_not_supported', { model: name, reason });
  const [step] = model.unbuiltModules;
  if (step !== undefined) throw notBuilt(`its own pipeline has a step "${step}"; pooling=mean does without it`);
  if (!isPoolingName(declared)) throw notBuilt(`its pooling "${declared}" is not built yet`);
  return declared;
}
