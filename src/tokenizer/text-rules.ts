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
  /** The content of a tokenizer.json that follows the rules. */
  readonly json: Json;
  /** The token to leave out. */
  readonly unknownToken: string | undefined;
}

/** The content of a tokenizer.json with the rules written into it. */
export function applyTextRules(
  json: Json,
  { special = true, unknown = true, lowerCase = false }: TextRules,
): RuledTokenizer {
  const unknownToken = toJson(json['model'])['unk_token'];
  return {
    json: {
      ...json,
      ...(special ? {} : { post_processor: null }),
      ...(lowerCase ? { normalizer: lowercased(json['normalizer']) } : {}),
    },
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
