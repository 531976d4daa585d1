import { type ActivationName, activations, isActivationName } from '../graph/layers/activation.ts';
import type { ConfigFields } from './config-fields.ts';

/** Reads the name of an activation. @throws ConfigFieldError naming those there are */
export function parseActivation(fields: ConfigFields, field: string, fallback: ActivationName): ActivationName {
  return fields.choice(field, isActivationName, `one of ${Object.keys(activations).join(', ')}`, fallback);
}
