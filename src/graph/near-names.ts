const shownNames = 3;

/** Which names of a checkpoint are most like one that it lacks, as a sentence. */
export function describeNearNames(missing: string, names: readonly string[]): string {
  if (names.length === 0) return 'It holds no tensors.';
  const wanted = missing.split('.');
  const near = names
    .map((name) => ({ name, likeness: likenessOf(wanted, name.split('.')) }))
    .toSorted((a, b) => b.likeness - a.likeness || (a.name < b.name ? -1 : 1))
    .slice(0, shownNames)
    .map(({ name }) => (name.length > 120 ? `${name.slice(0, 120)}...` : name));
  return `The nearest of its ${names.length} names: ${near.join(', ')}.`;
}

/** Parts of the dotted path that agree from the end, where a module's own names are, and from the start. */
function likenessOf(wanted: readonly string[], got: readonly string[]): number {
  const fromEnd = countEqual(wanted.toReversed(), got.toReversed());
  const fromStart = countEqual(wanted, got);
  return 2 * fromEnd + fromStart;
}

function countEqual(a: readonly string[], b: readonly string[]): number {
  const end = a.findIndex((part, index) => part !== b[index]);
  return end < 0 ? a.length : end;
}
