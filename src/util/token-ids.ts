/**
 * What token ids in a request stand for: tokens of the model's own tokenizer, tokens of one of OpenAI's encodings
 * (`tiktoken` is the one of its embedding models, cl100k_base), or nothing, and then they are refused.
 */
export const tokenIdRules = ['model', 'tiktoken', 'cl100k_base', 'o200k_base', 'reject'] as const;

export type TokenIds = (typeof tokenIdRules)[number];
