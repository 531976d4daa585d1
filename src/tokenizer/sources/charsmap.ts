const maxReplacementBytes = 100; // NFKC of one character has up to 33; a longer one would multiply every text

/**
 * Checks compiled normalisation rules: four bytes of length, a trie of 32-bit units, then the replacements as UTF-8, each
 * ended by a zero. The native library follows the trie without looking, and ends the process where it leads outside.
 * @see https://github.com/s-yata/darts-clone, whose double arrays these are
 * @throws Error saying what is wrong with them
 */
export function checkCharsmap(charsmap: Uint8Array): void {
  const view = new DataView(charsmap.buffer, charsmap.byteOffset, charsmap.byteLength);
  const trieBytes = charsmap.length < 4 ? 0 : view.getUint32(0, true);
  if (trieBytes === 0 || trieBytes % 4 !== 0 || trieBytes > charsmap.length - 4)
    throw new Error(`its normalisation rules of ${charsmap.length} bytes claim a trie of ${trieBytes}`);
  const replacements = charsmap.subarray(4 + trieBytes);
  if (longestRun(replacements) > maxReplacementBytes)
    throw new Error(`expected at most ${maxReplacementBytes} bytes for each replacement of its normalisation rules`);
  if (!isUtf8(replacements)) throw new Error('the replacements of its normalisation rules are not UTF-8');
  const units = trieBytes / 4;
  const unitAt = (index: number) => view.getUint32(4 + index * 4, true);
  for (let index = 0; index < units; index++) {
    const unit = unitAt(index);
    if (isValue(unit)) continue;
    const children = index ^ childOffset(unit);
    // A child is at `children ^ byte`, whatever byte the text has.
    if ((children | 0xff) >= units) throw new Error(`unit ${index} of its normalisation rules leads outside`);
    if (hasValue(unit) && !isCharacterStart(replacements, unitAt(children) & 0x7f_ff_ff_ff))
      throw new Error(`unit ${index} of its normalisation rules has no replacement`);
  }
}

function longestRun(bytes: Uint8Array): number {
  let [longest, start] = [0, 0];
  for (let end = bytes.indexOf(0); start < bytes.length; end = bytes.indexOf(0, start)) {
    const stop = end < 0 ? bytes.length : end;
    longest = Math.max(longest, stop - start);
    start = stop + 1;
  }
  return longest;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false; // the only error there is
  }
}

/** Holds a position in the replacements instead of children. */
function isValue(unit: number): boolean {
  return unit >>> 31 === 1;
}

function hasValue(unit: number): boolean {
  return (unit & 0x1_00) !== 0;
}

function childOffset(unit: number): number {
  return (unit >>> 10) * ((unit & 0x2_00) === 0 ? 1 : 0x1_00);
}

function isCharacterStart(text: Uint8Array, position: number): boolean {
  return position <= text.length && ((text[position] ?? 0) & 0xc0) !== 0x80;
}
