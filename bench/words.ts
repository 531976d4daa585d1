// English words of one token each in the vocabulary of BERT.
const words = `time year people way day man thing woman life child world school state family student group country
problem hand part place case week company system program question work government number night point home water room
mother area money story fact month lot right study book eye job word business issue side kind head house service
friend father power hour game line end member law car city community name president team minute idea body`.split(/\s+/);

const frame = 2; // [CLS] and [SEP]

/** A text of exactly so many tokens for BERT models; another `seed` gives another text. */
export function textOfTokens(tokens: number, seed: number): string {
  if (tokens <= frame) throw new Error(`Expected more than ${frame} tokens, got ${tokens}.`);
  let state = seed * 7919 + 1; // neighbouring seeds start far apart
  const next = (): string => {
    state = (state * 16_807) % 2_147_483_647;
    return words[state % words.length] ?? '';
  };
  return Array.from({ length: tokens - frame }, next).join(' ');
}
