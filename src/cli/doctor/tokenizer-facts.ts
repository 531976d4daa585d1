import { basename } from 'node:path';
import type { ModelPlan } from '../../serving/plan-model.ts';
import { openNativeEncoder } from '../../tokenizer/native-encoder.ts';
import { findTokenizerSource } from '../../tokenizer/tokenizer-source.ts';
import type { Problem, TokenizerFacts } from './diagnosis.ts';

/** Which files make the tokenizer, and what it makes of a text. @throws Error naming the file at fault */
export async function readTokenizerFacts({ model, textRules }: ModelPlan, text: string): Promise<TokenizerFacts> {
  const encoder = openNativeEncoder({ folder: model.root, rules: textRules, isAlone: true });
  const { kind = '', files = [], className } = findTokenizerSource(model.root) ?? {};
  const names = files.map((file) => basename(file)).join(' and ');
  return {
    source: [kind === names ? '' : `${kind} built from `, names, className === undefined ? '' : ` (${className})`].join(
      '',
    ),
    specialTokens: encoder.before + encoder.after,
    text,
    pieces: await encoder.explain(text),
  };
}

/** Ids beyond the weights: the tokenizer of another model. */
export function findForeignToken({ pieces }: TokenizerFacts, vocabulary: number): Problem | undefined {
  const stranger = pieces.find(({ id }) => id >= vocabulary);
  if (stranger === undefined) return undefined;
  return {
    what: `the tokenizer gives id ${stranger.id} for "${stranger.text}", the weights have ${vocabulary} tokens`,
    todo: 'take tokenizer and weights from one repository',
  };
}
