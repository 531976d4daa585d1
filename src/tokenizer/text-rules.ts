/** Where a model turns texts into tokens otherwise than its tokenizer.json alone says. */
export interface TextRules {
  /** Whether the special tokens of the template are added; true when absent. */
  readonly special?: boolean;
  /** Whether tokens of unknown text are kept; true when absent. */
  readonly unknown?: boolean;
  /** Whether texts are lowercased first. */
  readonly lowerCase?: boolean;
}

export interface RuledTokenizer {
  /** A tokenizer.json that follows the rules. */
  readonly json: string;
  /** The token to leave out. */
  readonly unknownToken: string | undefined;
}

/** tokenizer.json with the rules written into it. @throws SyntaxError, TypeError for what is no object */
export function applyTextRules(
  json: string,
  { special = true, unknown = true, lowerCase = false }: TextRules,
): RuledTokenizer {
  if (special && unknown && !lowerCase) return { json, unknownToken: undefined };
  const tokenizer = JSON.parse(json) as Json; // its parts are checked below, the rest by the tokenizer itself
  const model = toJson(tokenizer['model']);
  const unknownToken = model['unk_token'];
  const changed = {
    ...tokenizer,
    ...(special ? {} : { post_processor: null }),
    ...(lowerCase ? { normalizer: lowercased(tokenizer['normalizer']) } : {}),
  };
  return {
    json: JSON.stringify(changed),
    unknownToken: !unknown && typeof unknownToken === 'string' ? unknownToken : undefined,
  };
}

type Json = Readonly<Record<string, unknown>>;

/** Lowercase comes first, as sentence-transformers puts it, unless the normalizer has it. */
function lowercased(normalizer: unknown): Json {
  const { type, normalizers } = toJson(normalizer);
  const own = type === 'Sequence' && Array.isArray(normalizers) ? (normalizers as unknown[]) : [normalizer];
  const parts = own.filter((part) => part !== null && part !== undefined);
  const hasIt = parts.some((part) => toJson(part)['type'] === 'Lowercase');
  return { type: 'Sequence', normalizers: hasIt ? parts : [{ type: 'Lowercase' }, ...parts] };
}

function toJson(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
