import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceKind, TokenizerClass } from './tokenizer-classes.ts';
import { genericClasses, tokenizerClasses } from './tokenizer-classes.ts';
import type { TokenizerSettings } from './tokenizer-settings.ts';
import { readTokenizerSettings } from './tokenizer-settings.ts';

/** Which files of a folder make its tokenizer. */
export interface TokenizerSource {
  readonly kind: SourceKind;
  /** Absolute if the folder is. */
  readonly files: readonly string[];
  /** The class whose rules hold, undefined for one that has none here and needs none. */
  readonly className: string | undefined;
  readonly cls: TokenizerClass | undefined;
  readonly settings: TokenizerSettings;
}

interface Format {
  readonly kind: SourceKind;
  readonly files: readonly string[];
  /** Whose rules hold where no file names a class. */
  readonly otherwise?: string;
}

/** Formats in the order in which they are tried. */
const formats: readonly Format[] = [
  { kind: 'tokenizer.json', files: ['tokenizer.json'] },
  { kind: 'PhoBERT', files: ['vocab.txt', 'bpe.codes'], otherwise: 'PhobertTokenizer' },
  { kind: 'WordPiece', files: ['vocab.txt'], otherwise: 'BertTokenizer' },
  { kind: 'byte-level BPE', files: ['vocab.json', 'merges.txt'], otherwise: 'RobertaTokenizer' },
  { kind: 'SentencePiece', files: ['sentencepiece.bpe.model'], otherwise: 'XLMRobertaTokenizer' },
  { kind: 'SentencePiece', files: ['spiece.model'], otherwise: 'T5Tokenizer' },
  { kind: 'SentencePiece', files: ['tokenizer.model'], otherwise: 'LlamaTokenizer' },
];

/**
 * The tokenizer of a folder: tokenizer.json where there is one, otherwise the files that its class reads, otherwise the
 * first format whose files are all there. Undefined where there is none; nothing but the small settings files is read.
 * @throws Error naming the settings file that is broken, or a class whose rules are not here
 */
export function findTokenizerSource(folder: string): TokenizerSource | undefined {
  const settings = readTokenizerSettings(folder);
  const named = settings.className === undefined ? undefined : tokenizerClasses.get(settings.className);
  const present = formats.filter(({ files }) => files.every((file) => existsSync(join(folder, file))));
  const format = present.find(({ kind }) => kind === 'tokenizer.json' || kind === named?.kind) ?? present[0];
  if (format === undefined) return undefined;
  const { kind, otherwise } = format;
  const isKnown = settings.className === undefined || genericClasses.has(settings.className) || named !== undefined;
  if (kind !== 'tokenizer.json' && !isKnown)
    throw new Error(
      `Expected tokenizer.json in ${folder}: ${settings.className} cannot be built from ${format.files.join(' and ')}.`,
    );
  const fits = kind === 'tokenizer.json' || kind === named?.kind;
  const className = fits ? settings.className : otherwise;
  return {
    kind,
    files: format.files.map((file) => join(folder, file)),
    className,
    cls: className === undefined ? undefined : tokenizerClasses.get(className),
    settings,
  };
}

/** For messages: every set of files that would do. */
export function describeFormats(): string {
  return formats.map(({ files }) => files.join(' with ')).join(', ');
}
