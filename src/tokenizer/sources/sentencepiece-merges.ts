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
  const found: (Merge & { readonly leftId: number; readonly rightId: number })[] = [];
  const length = countCharacters(piece);
  let leftLength = 0;
  for (let at = 1; at < piece.length; at++) {
    if (isSecondHalf(piece.charCodeAt(at))) continue; // of a character above U+FFFF
    leftLength++;
    const left = piece.slice(0, at);
    const leftId = ids.get(left);
    if (leftId === undefined) continue;
    const right = piece.slice(at);
    const rightId = ids.get(right);
    if (rightId !== undefined)
      found.push({ left, right, score, leftLength, rightLength: length - leftLength, leftId, rightId });
  }
  return found.length < 2 ? found : found.toSorted((one, two) => one.leftId - two.leftId || one.rightId - two.rightId);
}

function countCharacters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (!isSecondHalf(text.charCodeAt(at))) count++;
  return count;
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc_00 && unit <= 0xdf_ff;
}
