import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type * as threadedModule from '../../src/tokenizer/threaded-encoder.ts';
import type * as tokenizerModule from '../../src/tokenizer/tokenizer.ts';
import { importBuilt } from '../built.ts';
import { tempFolder } from '../graph/temp-folder.ts';
import { goldens, readGolden, writeTokenizer } from '../parity/tokenizer-goldens.ts';

// From dist: a thread is started with a file that Node can run.
const { Tokenizer } = await importBuilt<typeof tokenizerModule>('tokenizer/tokenizer.ts');
const { openThreadedEncoder } = await importBuilt<typeof threadedModule>('tokenizer/threaded-encoder.ts');

/** The unigram golden with so many more pieces that it is above the size of a tokenizer that is loaded in place. */
function writeLarge(): string {
  const json = JSON.parse(new TextDecoder().decode(readGolden('json-xlm-roberta-old', 'tokenizer.json')));
  const more = Array.from({ length: 200_000 }, (_, index) => [`▁${index.toString(36)}\u{10ffff}`, -90]);
  const folder = tempFolder();
  writeFileSync(
    join(folder, 'tokenizer.json'),
    JSON.stringify({ ...json, model: { ...json.model, vocab: [...json.model.vocab, ...more] } }),
  );
  return folder;
}

test('a tokenizer gives the same ids in a thread of its own', async () => {
  for (const name of ['llama-eos', 'phobert', 'xlm-roberta']) {
    const { ids } = goldens.tokenizers.find((tokenizer) => tokenizer.name === name)!;
    const encoder = await openThreadedEncoder({ folder: writeTokenizer(name), rules: {} });
    expect([encoder.before, encoder.after]).toEqual([1, 1]);
    const rows = await encoder.encode(goldens.strings);
    expect(rows.map((row) => [...row])).toEqual(goldens.ids[ids]);
    encoder.close();
  }
});

test('calls are answered each with its own texts, in any number at once', async () => {
  const encoder = await openThreadedEncoder({ folder: writeTokenizer('llama-none'), rules: {} });
  const texts = Array.from({ length: 200 }, (_, index) => 'a'.repeat(index));
  const together = await Promise.all(texts.map((text) => encoder.encode([text])));
  expect(together.map((rows) => [...rows[0]!])).toEqual((await encoder.encode(texts)).map((row) => [...row]));
  encoder.close();
});

test('the event loop goes on while a large tokenizer loads', async () => {
  const folder = writeLarge();
  let turns = 0;
  const turn = () => {
    turns++;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  const tokenizer = await Tokenizer.load(folder);
  clearImmediate(next);
  expect(turns).toBeGreaterThan(10); // loaded in place it would be none
  const { value } = await tokenizer.encode(['']).next();
  expect([...value!]).toEqual([0, 2]);
  tokenizer.close();
});

test('a file that is no tokenizer is refused with the same words', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'vocab.txt'), 'a\n');
  await expect(openThreadedEncoder({ folder, rules: {} })).rejects.toThrow(/unknown token "\[UNK\]" on a line of/);
});

test('a closed tokenizer fails its calls instead of leaving them open', async () => {
  const encoder = await openThreadedEncoder({ folder: writeTokenizer('llama'), rules: {} });
  const open = encoder.encode(['word '.repeat(20_000)]);
  encoder.close();
  await expect(open).rejects.toThrow('has ended');
  await expect(encoder.encode(['a'])).rejects.toThrow('has ended');
});
