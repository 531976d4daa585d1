/** Thrown for a step of a model's own pipeline that no graph is built for; the message names it. */
export class UnbuiltModuleError extends Error {}

export function unbuiltModule(kind: string): UnbuiltModuleError {
  return new UnbuiltModuleError(`its own pipeline has a step "${kind}"`);
}
