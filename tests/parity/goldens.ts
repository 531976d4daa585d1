import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** One input and what the reference gives for it. */
export interface Golden {
  /** Absent where the input is a raw token array. */
  readonly text?: string;
  /** Token ids as the model sees them: special tokens included for texts, cut to the model's length. */
  readonly ids: readonly number[];
  /** Tokens before the cut; only on texts longer than the model. */
  readonly fullTokens?: number;
  /** Unit length, float32. */
  readonly vector: Float32Array;
}

export interface GoldenOptions {
  /** Set where one file has vectors of several weights: `f16` or `f32`. */
  readonly weights?: 'own' | 'f16' | 'f32';
  readonly pooling?: string;
  /** An adapter of the model; its vectors are mean-pooled. */
  readonly task?: string;
}

export const goldensFolder = fileURLToPath(new URL('../goldens/', import.meta.url));

/** The tiny checkpoints under `tests/goldens/models/tiny`; the goldens of `bert` are in `tiny-bert.json`. */
export const tinyModels: readonly string[] = readdirSync(`${goldensFolder}models/tiny`).toSorted();

export function readGoldenFile(name: string): GoldenFile {
  return JSON.parse(readFileSync(`${goldensFolder}${name}.json`, 'utf8')) as GoldenFile;
}

/** Goldens of one file of `tests/goldens`, such as `all-MiniLM-L6-v2` or `tiny-bert`. */
export function loadGoldens(
  name: string,
  { weights = 'own', pooling = 'mean', task }: GoldenOptions = {},
): readonly Golden[] {
  const file = readGoldenFile(name);
  const encoded = task === undefined ? file.vectors[weights]?.[pooling] : file.tasks?.[task];
  if (encoded === undefined)
    throw new Error(`${name}.json has no vectors of ${task ?? weights} weights and ${pooling} pooling`);
  const all = toFloats(encoded);
  if (all.length !== file.cases.length * file.dim) throw new Error(`${name}.json: one vector per case expected`);
  return file.cases.map((golden, row) => ({ ...golden, vector: all.subarray(row * file.dim, (row + 1) * file.dim) }));
}

/** Largest absolute difference of two vectors; infinite when either holds NaN or the lengths differ. */
export function maxAbsDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= max)) max = Number.isNaN(difference) ? Infinity : difference;
  }
  return max;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return dot / Math.sqrt(aa * bb);
}

export interface GoldenFile {
  /** The row of the registry that computes it; the declared pooling. Only of tiny models. */
  readonly architecture: string;
  readonly pooling: string;
  readonly maxTokens: number;
  readonly dim: number;
  readonly cases: readonly { readonly text?: string; readonly ids: readonly number[]; readonly fullTokens?: number }[];
  /** By weights, then pooling: base64 of little-endian float32. Layout: `[case][column]`. */
  readonly vectors: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Vectors with an adapter applied, mean-pooled, by its name. Only of models with adapters. */
  readonly tasks?: Readonly<Record<string, string>>;
}

/** Base64 of little-endian float32. */
export function toFloats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}
