/**
 * The merges of a BPE model, which stores only scores: every split of a piece into two pieces, the best score first, then
 * the longer left part, then the longer right part, otherwise in the order of the pieces and of the ids of the parts.
 * @see `generate_merges` in transformers/convert_slow_tokenizer.py
 */
export function deriveMerges(
  scored: readonly (readonly [piece: string, score: number])[],
  ids: ReadonlyMap<string, number>,
): readonly (readonly [string, string])[] {
  // A piece that stands twice keeps its first place and its last score.
  const merges = [...new Map(scored)].flatMap(([piece, score]) => splits(piece, score, ids));
  return merges
    .toSorted(
      (first, second) =>
        second.score - first.score || second.leftLength - first.leftLength || second.rightLength - first.rightLength,
    )
    .map(({ left, right }) => [left, right]);
}

interface Merge {
  readonly left: string;
  readonly right: string;
  readonly score: number;
  /** In characters, not in UTF-16 units. */
  readonly leftLength: number;
  readonly rightLength: number;
}

function splits(piece: string, score: number, ids: ReadonlyMap<string, number>): readonly Merge[] {
  const characters = Array.from(piece);
  const found: (Merge & { readonly leftId: number; readonly rightId: number })[] = [];
  let at = 0;
  for (let leftLength = 1; leftLength < characters.length; leftLength++) {
    at += characters[leftLength - 1]!.length;
    const [left, right] = [piece.slice(0, at), piece.slice(at)];
    const leftId = ids.get(left);
    const rightId = leftId === undefined ? undefined : ids.get(right);
    if (leftId !== undefined && rightId !== undefined)
      found.push({ left, right, score, leftLength, rightLength: characters.length - leftLength, leftId, rightId });
  }
  return found.toSorted((first, second) => first.leftId - second.leftId || first.rightId - second.rightId);
}
