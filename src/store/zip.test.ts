import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { toZip, type ZipFile } from '../../tests/store/write-zip.ts';
import { FileReader, WeightFileError } from './file-reader.ts';
import { readZip, type ZipEntry } from './zip.ts';

const fileTimeoutMs = 30_000; // hundreds of files are written, on a disk that may be busy

const files: readonly ZipFile[] = [
  { name: 'a/one', data: Buffer.from('first') },
  { name: 'a/empty', data: Buffer.alloc(0) },
  { name: 'a/größe', data: Buffer.from('second') },
];

function entriesOf(bytes: Uint8Array, path = join(tempFolder(), 'archive')): ReadonlyMap<string, ZipEntry> {
  writeFileSync(path, bytes);
  const reader = new FileReader(path);
  try {
    return readZip(reader);
  } finally {
    reader.close();
  }
}

test.each([
  ['32-bit sizes', {}],
  ['zip64 sizes', { is64: true }],
  ['a comment with the signature of an end', { comment: 'PK\u0005\u0006 and more than 22 characters' }],
])('each file of an archive with %s is a byte range that holds it', (_, options) => {
  const bytes = toZip(files, options);
  const entries = entriesOf(bytes);
  const texts = [...entries].map(([name, { offset, byteLength }]) => [
    name,
    bytes.toString('utf8', offset, offset + byteLength),
  ]);
  expect(texts).toEqual(files.map(({ name, data }) => [name, Buffer.from(data).toString()]));
});

const [one, , two] = files as [ZipFile, ZipFile, ZipFile];

test.each<[string, Buffer, RegExp]>([
  ['nothing', Buffer.alloc(0), /directory/],
  ['an archive without its end', toZip(files).subarray(0, -1), /directory/],
  ['a compressed entry', toZip([one, { ...two, method: 8 }]), /without compression/],
  ['an encrypted entry', toZip([one, { ...two, flags: 1 }]), /without encryption/],
  ['a name twice', toZip([one, one]), /every name once/],
  ['a directory with another name', toZip([one, { ...two, lie: { name: 'a/other!' } }]), /another name/],
  ['an entry over the end', toZip([one, { ...two, lie: { bytes: 999, storedBytes: 999 } }]), /too short|apart/],
  ['two sizes', toZip([one, { ...two, lie: { bytes: 5 } }]), /stored bytes/],
  ['a bomb of overlapping entries', toZip([{ ...one, lie: { bytes: 55, storedBytes: 55 } }, two]), /apart/],
  ['two names for one place', toZip([one, { ...one, name: 'a/two', lie: { name: 'a/one', offset: 0 } }]), /once/],
  ['a place outside the file', toZip([{ ...one, lie: { offset: 5000 } }]), /too short/],
  ['a zip64 place outside the file', toZip([{ ...one, lie: { offset: 2 ** 52 } }], { is64: true }), /too short/],
])('%s is refused', (_, bytes, message) => {
  expect(() => entriesOf(bytes)).toThrow(WeightFileError);
  expect(() => entriesOf(bytes)).toThrow(message);
});

test(
  'any change of an archive gives an error or ranges inside the file that do not overlap',
  () => {
    const path = join(tempFolder(), 'archive');
    const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean(), (changes, is64) => {
        const bytes = toZip(files, { is64 });
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        try {
          const entries = [...entriesOf(bytes, path).values()].toSorted((a, b) => a.offset - b.offset);
          for (const [index, { offset, byteLength }] of entries.entries())
            expect(offset + byteLength).toBeLessThanOrEqual(entries[index + 1]?.offset ?? readFileSync(path).length);
        } catch (error) {
          expect(error).toBeInstanceOf(WeightFileError);
        }
      }),
      { numRuns: 250 },
    );
  },
  fileTimeoutMs,
);
