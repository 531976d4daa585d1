import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { tempFolder } from '../graph/temp-folder.ts';

/** `files` name their `contents`; `ids` name a list of one row a string. */
interface Goldens {
  readonly strings: readonly string[];
  readonly contents: Readonly<Record<string, { readonly text: string } | { readonly base64: string }>>;
  readonly ids: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** One long text, cut to so many tokens. */
  readonly cut: { readonly text: string; readonly maxTokens: number };
  readonly tokenizers: readonly TokenizerGolden[];
}

interface TokenizerGolden {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly ids: string;
  readonly cut: readonly number[];
}

const path = fileURLToPath(new URL('../goldens/tokenizers.json.gz', import.meta.url));
export const goldens = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Goldens;

/** The folder of a golden tokenizer, with other files over or beside its own. Goes when the test ends. */
export function writeTokenizer(name: string, changes: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const { files } = goldens.tokenizers.find((tokenizer) => tokenizer.name === name)!;
  const folder = tempFolder();
  for (const file of Object.keys(files)) writeFileSync(join(folder, file), readGolden(name, file));
  for (const [file, content] of Object.entries(changes)) writeFileSync(join(folder, file), content);
  return folder;
}

export function readGolden(name: string, file: string): Uint8Array {
  const { files } = goldens.tokenizers.find((tokenizer) => tokenizer.name === name)!;
  const content = goldens.contents[files[file]!]!;
  return 'text' in content ? Buffer.from(content.text) : Buffer.from(content.base64, 'base64');
}
