export interface PackLimits {
  /** Tokens of one batch at most; a longer seed goes alone. */
  readonly maxTokens: number;
  /** Relative work of one batch, from the engine. */
  readonly cost: (lengths: readonly number[]) => number;
}

/**
 * Chooses which sequences run together with the first one. `lengths[0]` is the seed; the others stand in order of
 * preference. One joins when the batch stays within its tokens and the work per token does not grow.
 * @returns indices into `lengths`, 0 first, ascending
 */
export function pack(lengths: readonly number[], { maxTokens, cost }: PackLimits): number[] {
  const seed = lengths[0];
  if (seed === undefined) return [];
  const chosen = [0];
  const chosenLengths = [seed];
  let tokens = seed;
  let costPerToken = cost(chosenLengths) / tokens;
  for (let index = 1; index < lengths.length && tokens < maxTokens; index++) {
    const length = lengths[index]!;
    if (tokens + length > maxTokens) continue;
    chosenLengths.push(length);
    const withIt = cost(chosenLengths) / (tokens + length);
    if (withIt > costPerToken) {
      chosenLengths.pop();
      continue;
    }
    chosen.push(index);
    tokens += length;
    costPerToken = withIt;
  }
  return chosen;
}
