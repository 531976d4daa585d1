import { TokenBytes, type Ranks } from './token-bytes.ts';

/** OpenAI's encodings that clients send: of its embedding models, and of gpt-4o and later ones. */
export type EncodingName = 'cl100k_base' | 'o200k_base';

const loaders: Record<EncodingName, () => Promise<{ readonly default: Ranks }>> = {
  cl100k_base: () => import('js-tiktoken/ranks/cl100k_base'),
  o200k_base: () => import('js-tiktoken/ranks/o200k_base'),
};

const opened = new Map<EncodingName, Promise<TokenBytes>>();

/** Reads the tokens of an encoding when they are first asked for, and keeps them. */
export function openEncoding(name: EncodingName): Promise<TokenBytes> {
  const known = opened.get(name);
  if (known !== undefined) return known;
  const opening = loaders[name]().then(({ default: ranks }) => TokenBytes.read(ranks));
  opened.set(name, opening); // at once: others that ask meanwhile wait for the same
  return opening;
}
