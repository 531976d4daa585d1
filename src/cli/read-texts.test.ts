import { expect, test } from 'vitest';
import { readTexts, type SourceText } from './read-texts.ts';

test('every text knows how many bytes of the source end with it', async () => {
  const bytes = Buffer.from('one\r\ntwö\nthree');
  const source = async function* chunks() {
    yield bytes;
  };
  const texts: SourceText[] = [];
  for await (const text of readTexts(source(), { source: 'f', maxCharacters: 99 })) texts.push(text);
  expect(texts).toEqual([
    { text: 'one', place: 'line 1 of f', bytesRead: 5 },
    { text: 'twö', place: 'line 2 of f', bytesRead: 10 },
    { text: 'three', place: 'line 3 of f', bytesRead: bytes.length },
  ]);
});
