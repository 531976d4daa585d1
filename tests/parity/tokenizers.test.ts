import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { tempFolder } from '../graph/temp-folder.ts';

/** `contents` maps names to base64; `ids` has one row a string. */
interface Golden {
  readonly strings: readonly string[];
  readonly contents: Readonly<Record<string, string>>;
  readonly tokenizers: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, string>>;
    readonly ids: readonly (readonly number[])[];
  }[];
}

const path = fileURLToPath(new URL('../goldens/tokenizers.json.gz', import.meta.url));
const golden = JSON.parse(gunzipSync(readFileSync(path)).toString()) as Golden;

test.each(golden.tokenizers.map((tokenizer) => [tokenizer.name, tokenizer] as const))(
  '%s gives the ids of transformers for every string',
  async (_name, { files, ids }) => {
    const folder = tempFolder();
    for (const [file, content] of Object.entries(files))
      writeFileSync(join(folder, file), Buffer.from(golden.contents[content]!, 'base64'));
    const tokenizer = await Tokenizer.load(folder);
    let index = 0;
    const wrong: unknown[] = [];
    for await (const row of tokenizer.encode(golden.strings)) {
      if (ids[index]!.join() !== row.join()) wrong.push([golden.strings[index], ids[index], [...row]]);
      index++;
    }
    expect(index).toBe(golden.strings.length);
    expect({ count: wrong.length, first: wrong.slice(0, 3) }).toEqual({ count: 0, first: [] });
  },
);
