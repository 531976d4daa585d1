/** A stage of a tokenizer.json: its `type` and the type's own fields. */
export interface Component {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A token that is cut out of the text before everything else. */
export interface AddedToken {
  readonly content: string;
  readonly single_word: boolean;
  /** Takes the whitespace before it along. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Looked for in the normalised text instead of the raw one. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** The format of the `tokenizers` library. Decoders, padding and truncation are left out: nothing here decodes or pads. */
export interface TokenizerJson {
  readonly version: '1.0';
  readonly added_tokens: readonly (AddedToken & { readonly id: number })[];
  readonly normalizer: Component | null;
  readonly pre_tokenizer: Component | null;
  readonly post_processor: Component | null;
  readonly decoder: null;
  readonly model: Component;
}

export function toAddedToken(content: string, flags: Partial<Omit<AddedToken, 'content'>> = {}): AddedToken {
  return { content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...flags };
}

/** Puts tokens before and after every text; null when there are none. */
export function toTemplate(
  before: readonly string[],
  after: readonly string[],
  idOf: (token: string) => number,
): Component | null {
  const tokens = [...new Set([...before, ...after])];
  if (tokens.length === 0) return null;
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const single = [...before.map(special), { Sequence: { id: 'A', type_id: 0 } }, ...after.map(special)];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, { Sequence: { id: 'B', type_id: 0 } }],
    special_tokens: Object.fromEntries(tokens.map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])),
  };
}

/** Number of special tokens a post-processor puts on each side of a text. */
export function countTemplate(processor: unknown): { readonly before: number; readonly after: number } {
  const { type, single, processors } = (processor ?? {}) as Record<string, unknown>; // checked below, field by field
  if (type === 'BertProcessing' || type === 'RobertaProcessing') return { before: 1, after: 1 };
  if (type === 'Sequence' && Array.isArray(processors)) {
    const parts = processors.map(countTemplate);
    const sum = (side: 'before' | 'after') => parts.reduce((total, part) => total + part[side], 0);
    return { before: sum('before'), after: sum('after') };
  }
  if (Array.isArray(single)) {
    const isSequence = single.map((part) => typeof part === 'object' && part !== null && 'Sequence' in part);
    const at = isSequence.indexOf(true);
    return { before: at, after: single.length - 1 - at };
  }
  return { before: 0, after: 0 };
}
