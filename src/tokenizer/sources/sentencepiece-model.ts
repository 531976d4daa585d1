import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { readBounded } from '../../util/read-bounded.ts';
import { checkCharsmap } from './charsmap.ts';

/** What a SentencePiece `.model` file holds of use here: fields of ModelProto in sentencepiece_model.proto. */
export interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly algorithm: 'unigram' | 'bpe';
  readonly unknownId: number;
  readonly unknownPiece: string;
  /** Compiled normalisation rules; empty where the text is taken as it is. */
  readonly charsmap: Uint8Array;
}

export interface Piece {
  readonly text: string;
  /** Log probability of a unigram; minus the rank of a BPE piece. */
  readonly score: number;
  readonly kind: 'normal' | 'control' | 'user';
}

const userDefined = 4;
const control = 3;
const maxFileBytes = 32_000_000; // those of 250,000 pieces have some 5 MB
const maxPieceCharacters = 1000; // trainers make up to 16 by default; every split of a piece is looked up

/** @throws Error naming the file, for anything but a unigram or BPE model */
export function readSentencePieceModel(file: string): SentencePieceModel {
  const bytes = readBounded(file, maxFileBytes);
  try {
    return parseModel(bytes);
  } catch (cause) {
    throw new Error(
      `Expected a SentencePiece model in ${file}: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
}

function parseModel(bytes: Uint8Array): SentencePieceModel {
  const pieces: Piece[] = [];
  const trainer = { algorithm: 1, unknownId: 0, unknownPiece: '<unk>' };
  let charsmap: Uint8Array = new Uint8Array();
  forEachField(bytes, {
    1: [WireType.LengthDelimited, (reader) => pieces.push(parsePiece(reader.bytes()))],
    2: [
      WireType.LengthDelimited,
      (reader) =>
        forEachField(reader.bytes(), {
          3: [WireType.Varint, (spec) => (trainer.algorithm = spec.int32())],
          40: [WireType.Varint, (spec) => (trainer.unknownId = spec.int32())],
          45: [WireType.LengthDelimited, (spec) => (trainer.unknownPiece = readString(spec))],
        }),
    ],
    3: [
      WireType.LengthDelimited,
      (reader) => forEachField(reader.bytes(), { 2: [WireType.LengthDelimited, (spec) => (charsmap = spec.bytes())] }),
    ],
  });
  const algorithm = trainer.algorithm === 1 ? 'unigram' : trainer.algorithm === 2 ? 'bpe' : undefined;
  if (algorithm === undefined)
    throw new Error(`it is of model type ${trainer.algorithm}; only 1 (unigram) and 2 (BPE) can be used`);
  if (pieces.length === 0) throw new Error('it has no pieces');
  if (trainer.unknownId < 0 || trainer.unknownId >= pieces.length)
    throw new Error(`its unknown piece ${trainer.unknownId} is none of its ${pieces.length} pieces`);
  if (charsmap.length > 0) checkCharsmap(charsmap);
  return { pieces, algorithm, unknownId: trainer.unknownId, unknownPiece: trainer.unknownPiece, charsmap };
}

function parsePiece(bytes: Uint8Array): Piece {
  let [text, score, type] = ['', 0, 1];
  forEachField(bytes, {
    1: [WireType.LengthDelimited, (reader) => (text = readString(reader))],
    2: [WireType.Bit32, (reader) => (score = reader.float())],
    3: [WireType.Varint, (reader) => (type = reader.int32())],
  });
  if (text.length > maxPieceCharacters)
    throw new Error(`a piece of it has ${text.length} characters, more than ${maxPieceCharacters}`);
  if (!Number.isFinite(score)) throw new Error(`the score of ${JSON.stringify(text)} is ${score}`);
  return { text, score, kind: type === control ? 'control' : type === userDefined ? 'user' : 'normal' };
}

type FieldReader = readonly [WireType, (reader: BinaryReader) => unknown];

/** Calls the reader of each field by its number; other fields are skipped. Nothing is read past the end. */
function forEachField(bytes: Uint8Array, readers: Readonly<Record<number, FieldReader>>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const [expected, read] = readers[field] ?? [];
    if (read === undefined || wireType !== expected) reader.skip(wireType, field);
    else read(reader);
    if (reader.pos > reader.len) throw new Error('it ends in the middle of a field'); // varints do not check
  }
}

function readString(reader: BinaryReader): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(reader.bytes());
}
