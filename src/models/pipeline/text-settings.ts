import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigFields } from '../config-fields.ts';
import { readJsonFile } from '../read-json-file.ts';

/** What sentence-transformers does to a text before the model sees it. */
export interface TextSettings {
  /** Tokens one text may have, special tokens included; undefined where the files do not say. */
  readonly maxTokens: number | undefined;
  /** Whether texts are lowercased before the tokenizer's own normalisation. */
  readonly lowerCase: boolean;
}

/** Of a StaticEmbedding, which takes texts of any length. */
export const noTextSettings: TextSettings = { maxTokens: undefined, lowerCase: false };

/**
 * Reads sentence_bert_config.json and tokenizer_config.json of the folder with the weights. As in
 * sentence-transformers, `max_seq_length` counts before `model_max_length`.
 * @throws ConfigFieldError naming the file and the field
 */
export function readTextSettings(root: string): TextSettings {
  const transformer = transformerFiles.map((name) => readFields(root, name)).find((fields) => fields !== undefined);
  const tokenizer = readFields(root, 'tokenizer_config.json');
  return {
    maxTokens: toLength(transformer, 'max_seq_length') ?? toLength(tokenizer, 'model_max_length'),
    lowerCase: transformer?.boolean('do_lower_case', false) ?? false,
  };
}

/** The first of these in the folder is the one sentence-transformers reads. */
const transformerFiles = ['bert', 'roberta', 'distilbert', 'camembert', 'albert', 'xlm-roberta', 'xlnet'].map(
  (name) => `sentence_${name}_config.json`,
);

function readFields(folder: string, name: string): ConfigFields | undefined {
  const file = join(folder, name);
  return existsSync(file) ? new ConfigFields(readJsonFile(file), name) : undefined;
}

/** Transformers writes 1e30 where a tokenizer knows no limit: no whole number, and no limit here. */
function toLength(fields: ConfigFields | undefined, field: string): number | undefined {
  if (fields?.has(field) !== true) return undefined;
  const value = fields.value(field);
  return typeof value === 'number' && value > Number.MAX_SAFE_INTEGER ? undefined : fields.integer(field);
}
