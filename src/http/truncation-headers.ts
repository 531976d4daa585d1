import type { Cut } from '../embed.ts';

/**
 * Says which inputs were cut and by how much: `x-embeddings-truncated: 0>...`. Each entry is
 * `index:fullTokens>keptTokens`; a list over 4 KB ends with `,...` and the count follows in its own header.
 */
export function truncationHeaders(cuts: readonly Cut[]): Readonly<Record<string, string>> {
  if (cuts.length === 0) return {};
  let list = '';
  for (const { index, fullTokens, keptTokens } of cuts) {
    const entry = `${list === '' ? '' : ','}${index}:${fullTokens}>${keptTokens}`;
    if (list.length + entry.length > maxListBytes) {
      return { 'x-embeddings-truncated': `${list},...`, 'x-embeddings-truncated-count': String(cuts.length) };
    }
    list += entry;
  }
  return { 'x-embeddings-truncated': list };
}

const maxListBytes = 4096; // Node and many proxies take 8 to 16 KB of headers in all
