import { createHash } from 'node:crypto';
import type { VectorSource } from '../embed.ts';

/**
 * Says what the vectors were made with:
 * `x-embeddings-model: org/name@commit; dtype=float32; pooling=mean; prompt=query%3A%20`. Instead of the commit stands
 * `local` or `bundled` where the files do not say it; the prompt is percent-encoded, a long one given by its hash.
 */
export function sourceHeader(source: VectorSource): Readonly<Record<string, string>> {
  const { repository, revision, origin, dtype, pooling, task, prompt } = source;
  const parts = [`${repository}@${revision ?? origin}`, `dtype=${dtype}`, `pooling=${encodeURIComponent(pooling)}`];
  if (task !== undefined) parts.push(`task=${encodeURIComponent(task)}`);
  if (prompt !== '') parts.push(`prompt=${describePrompt(prompt)}`);
  return { 'x-embeddings-model': parts.join('; ') };
}

function describePrompt(prompt: string): string {
  // Half a character, which JSON can carry, has no encoding: the tokenizer sees the same replacement.
  const encoded = encodeURIComponent(Buffer.from(prompt).toString());
  return encoded.length <= maxPromptBytes ? encoded : `sha256:${createHash('sha256').update(prompt).digest('hex')}`;
}

const maxPromptBytes = 1024; // Node and many proxies take 8 to 16 KB of headers in all
