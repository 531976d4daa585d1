import { askPython, type PythonOptions, type ReferenceText } from './ask-python.ts';
import { cosine, maxAbsDifference } from './vector-distance.ts';

/** Largest difference of any number of a unit vector that counts as the same, as in this project's own tests. */
const tolerance = 2e-5;

export interface Comparison {
  readonly python: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly texts: number;
  readonly checks: readonly Check[];
}

/** One thing compared: the token ids, the mean of the same tokens, or the whole pipeline on the same texts. */
export interface Check {
  readonly name: 'tokens' | 'mean' | 'pipeline';
  readonly result: 'pass' | 'fail' | 'not compared';
  /** The largest of all texts. */
  readonly maxAbs?: number;
  /** The smallest of all texts. */
  readonly cosine?: number;
  readonly detail?: string;
}

export interface OwnVectors {
  readonly folder: string;
  /** Where the transformer's own files are: the folder, or one below it. */
  readonly root: string;
  readonly texts: readonly ReferenceText[];
  /** Per text, mean of the tokens. */
  readonly mean: readonly Float32Array[];
  /** Per text, by the model's own pipeline; a reason where that is not built. */
  readonly pipeline: readonly Float32Array[] | string;
}

/** Compares with sentence-transformers on the same folder. @throws Error where there is no reference */
export async function compare(own: OwnVectors, options: PythonOptions): Promise<Comparison> {
  const { folder, root, texts } = own;
  const { versions, reasons, ids, mean, pipeline } = await askPython({ folder, root, texts }, options);
  return {
    python: options.python,
    versions,
    texts: texts.length,
    checks: [
      ids === null ? notCompared('tokens', reasons['ids']) : compareTokens(texts, ids),
      mean === null ? notCompared('mean', reasons['mean']) : compareVectors('mean', own.mean, mean),
      typeof own.pipeline === 'string'
        ? notCompared('pipeline', own.pipeline)
        : pipeline === null
          ? notCompared('pipeline', reasons['pipeline'])
          : compareVectors('pipeline', own.pipeline, pipeline),
    ],
  };
}

function notCompared(name: Check['name'], reason = 'no reason given'): Check {
  return { name, result: 'not compared', detail: reason };
}

function compareTokens(texts: readonly ReferenceText[], reference: readonly (readonly number[])[]): Check {
  const at = texts.findIndex(({ ids }, row) => ids.join() !== reference[row]?.join());
  if (at < 0) return { name: 'tokens', result: 'pass' };
  const { text = '', ids = [] } = texts[at] ?? {};
  const detail = `${JSON.stringify(text)} is [${ids.join(', ')}] here and [${reference[at]?.join(', ')}] there`;
  return { name: 'tokens', result: 'fail', detail };
}

function compareVectors(
  name: 'mean' | 'pipeline',
  own: readonly Float32Array[],
  reference: readonly (readonly number[])[],
): Check {
  const [expected = 0, got = 0] = [reference[0]?.length, own[0]?.length];
  if (reference.length !== own.length || expected !== got) {
    const detail = `${reference.length} vectors of ${expected} numbers there, ${own.length} of ${got} here`;
    return { name, result: 'fail', detail };
  }
  const distances = own.map((vector, row) => maxAbsDifference(vector, reference[row] ?? []));
  const maxAbs = Math.max(...distances);
  const smallest = Math.min(...own.map((vector, row) => cosine(vector, reference[row] ?? [])));
  return { name, result: maxAbs <= tolerance ? 'pass' : 'fail', maxAbs, cosine: smallest };
}
