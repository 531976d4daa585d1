import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Contestant } from './contestant.ts';
import type { PythonSide } from './python.ts';
import { readVectors } from './vectors.ts';

export interface ReferenceOptions {
  readonly root: string;
  readonly scratch: string;
  readonly texts: readonly string[];
  readonly python: PythonSide;
}

/** The vectors of sentence-transformers in float32, which everyone's are compared with; `[rows][dim]`. */
export async function computeReference({ root, scratch, texts, python }: ReferenceOptions): Promise<Float32Array> {
  const file = join(scratch, 'reference.f32');
  const worker = new Contestant({
    command: python.command,
    args: [join(root, 'bench/st_worker.py'), python.modelDir, String(availableParallelism())],
  });
  try {
    await worker.next();
    await worker.ask({ texts, vectors: file });
    return readVectors(file);
  } finally {
    await worker.close();
  }
}
