/**
 * The one of `names` that `wanted` means: itself, else the first of its family. Clients of other services say
 * `search_query` or `passage` where a model has `query` and `document`.
 */
export function findName(wanted: string, names: readonly string[]): string | undefined {
  if (names.includes(wanted)) return wanted;
  const family = [queries, documents].find((words) => words.includes(wanted)) ?? [];
  return family.find((word) => names.includes(word));
}

/** Whether it asks for what is put before a document rather than before a question. */
export function isDocument(wanted: string): boolean {
  return documents.includes(wanted);
}

/** In order of preference; docs/api.md lists them. */
const queries: readonly string[] = ['query', 'search_query', 'retrieval.query', 'retrieval_query', 'question'];
const documents: readonly string[] = [
  'document',
  'passage',
  'corpus',
  'search_document',
  'retrieval.passage',
  'retrieval.document',
  'retrieval_document',
];
