/** STUB, replaced at merge. */
export function createTokenReader({
  hfToken,
}: {
  readonly hfToken: string | undefined;
  readonly hfTokenPath: string;
}): () => string | undefined {
  return () => hfToken;
}
