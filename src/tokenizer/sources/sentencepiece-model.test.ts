import fc from 'fast-check';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readGolden } from '../../../tests/parity/tokenizer-goldens.ts';
import { readSentencePieceModel } from './sentencepiece-model.ts';

const file = join(tmpdir(), `embeddings-${process.pid}.model`);
afterAll(() => rmSync(file, { force: true }));

function read(bytes: Uint8Array) {
  writeFileSync(file, bytes);
  return readSentencePieceModel(file);
}

const llama = readGolden('llama', 'tokenizer.model');

test('pieces, their kinds and the algorithm are read', () => {
  const bpe = read(llama);
  expect([bpe.algorithm, bpe.unknownId, bpe.unknownPiece, bpe.charsmap.length]).toEqual(['bpe', 0, '<unk>', 0]);
  expect(bpe.pieces.slice(0, 4)).toEqual([
    { text: '<unk>', score: 0, kind: 'normal' },
    { text: '<s>', score: 0, kind: 'control' },
    { text: '</s>', score: 0, kind: 'control' },
    { text: '<0x00>', score: 0, kind: 'normal' },
  ]);
  const unigram = read(readGolden('albert', 'spiece.model'));
  expect([unigram.algorithm, unigram.unknownId, unigram.charsmap.length > 0]).toEqual(['unigram', 1, true]);
  expect(unigram.pieces[4]).toEqual({ text: '[MASK]', score: 0, kind: 'user' });
});

test('models of other algorithms, without pieces or without their unknown piece are refused by name', () => {
  const piece = [0x0a, 0x03, 0x0a, 0x01, 0x61];
  expect(() => read(Uint8Array.of())).toThrow(/SentencePiece model in .*\.model: it has no pieces/);
  expect(() => read(Uint8Array.of(...piece, 0x12, 0x02, 0x18, 0x03))).toThrow('it is of model type 3');
  expect(() => read(Uint8Array.of(...piece, 0x12, 0x03, 0xc0, 0x02, 0x07))).toThrow(
    'its unknown piece 7 is none of its 1',
  );
  expect(read(Uint8Array.of(...piece)).pieces).toEqual([{ text: 'a', score: 0, kind: 'normal' }]);
});

test('a piece of endless length is refused: its splits would be looked up one by one', () => {
  const text = Array.from({ length: 1001 }, () => 0x61);
  const piece = [0x0a, 0xe9, 0x07, ...text]; // 1001 as a varint
  expect(() => read(Uint8Array.of(0x0a, 0xec, 0x07, ...piece))).toThrow('a piece of it has 1001 characters');
});

test('a length beyond the end is an error before anything is allocated for it', () => {
  expect(() => read(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, 0x61))).toThrow(/SentencePiece model/);
});

test('any damaged file is read or refused by name', () => {
  const change = fc.record({ at: fc.nat(llama.length - 1), byte: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), fc.nat(llama.length), (changes, length) => {
      const bytes = Uint8Array.from(llama);
      for (const { at, byte } of changes) bytes[at] = byte;
      try {
        read(bytes.subarray(0, length));
      } catch (error) {
        expect(String(error)).toMatch(/Expected a SentencePiece model in .*\.model: /);
      }
    }),
    { numRuns: 300 },
  );
});
