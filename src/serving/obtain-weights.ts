import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import type { Graph } from '../graph/graph.ts';
import type { Precision } from '../graph/precision.ts';
import type { QuantizedGraph } from '../graph/quantize/quantize.ts';
import { bindTensors, listCopies } from '../quantization/bind.ts';
import { obtainQuantized } from '../quantization/quantized-file.ts';
import type { WriteProgress } from '../quantization/write-file.ts';
import type { OpenWriter } from '../quantization/writer-channel.ts';

export interface WeightsQuestion extends QuantizedGraph {
  /** Folder of the checkpoint's own files. */
  readonly weightsFolder: string;
  readonly precision: Precision;
  /** Where the Hugging Face cache keeps what is made of the model. */
  readonly quantizedFolder: string;
  readonly processes: number;
  readonly onProgress: (progress: WriteProgress) => void;
  readonly signal: AbortSignal;
  readonly requestId?: string | undefined;
  readonly openWriter?: OpenWriter;
}

/** A graph that can be loaded, and the folder of the files that it names. */
export interface Weights {
  readonly graph: Graph;
  readonly weightsFolder: string;
}

/**
 * Makes the tensors that a graph needs beside those of its checkpoint, once: they stay on disk for the next load.
 * @throws Error that says what stood in the way, the signal's reason
 */
export async function obtainWeights(question: WeightsQuestion): Promise<Weights> {
  const { graph, derivations, weightsFolder, precision, quantizedFolder } = question;
  if (derivations.length === 0) return { graph, weightsFolder };
  const all = [...derivations, ...listCopies(graph)];
  const folders = [quantizedFolder, ...privateFolder()];
  const { file, tensors } = await obtainQuantized({ ...question, derivations: all, label: precision, folders });
  return { graph: bindTensors(graph, tensors), weightsFolder: dirname(file) };
}

/** A folder that others cannot write to, for where the cache is read-only; none where its name is taken by somebody else. */
function privateFolder(): readonly string[] {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `embeddings-${uid}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // There already, maybe; looked at below.
  }
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  const isOurs = stat?.isDirectory() === true && stat.uid === uid && (stat.mode & 0o022) === 0;
  return isOurs ? [folder] : [];
}
