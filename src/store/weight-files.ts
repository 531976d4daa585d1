import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { WeightFileError } from './file-reader.ts';
import { readTensorIndex, type TensorIndex } from './safetensors.ts';
import { readShards } from './shards.ts';
import { readTorchFile } from './torch-file.ts';

/** The one set of weights that a model folder is computed from. */
export interface WeightFiles {
  readonly format: 'safetensors' | 'pytorch' | 'onnx';
  /** Path inside the folder; of shards their index. */
  readonly file: string;
}

/** What is looked for, in this order, for messages. */
export const wantedWeights = 'model.safetensors, pytorch_model.bin, the .index.json of either, onnx/*.onnx or *.onnx';

/** In the order in which they win; adapters, optimizers and folders of other modules carry none of these names. */
const named: readonly WeightFiles[] = [
  { format: 'safetensors', file: 'model.safetensors' },
  { format: 'safetensors', file: 'model.safetensors.index.json' },
  { format: 'pytorch', file: 'pytorch_model.bin' },
  { format: 'pytorch', file: 'pytorch_model.bin.index.json' },
];

export function findWeightFiles(folder: string): WeightFiles | undefined {
  const present = named.map(({ file }) => file).filter((file) => existsSync(join(folder, file)));
  return chooseWeightFiles([...present, ...listOnnxFiles(folder, 'onnx/'), ...listOnnxFiles(folder, '')]);
}

/** The same choice from the paths of a folder that need not be here. */
export function chooseWeightFiles(paths: readonly string[]): WeightFiles | undefined {
  const present = new Set(paths);
  const found = named.find(({ file }) => present.has(file));
  if (found !== undefined) return found;
  const [file] = paths.filter((path) => /^(onnx\/)?[^/]+\.onnx$/.test(path)).toSorted(compareOnnxFiles);
  return file === undefined ? undefined : { format: 'onnx', file };
}

/**
 * The tensors of safetensors or PyTorch files.
 * @throws WeightFileError
 */
export function readWeights(folder: string): TensorIndex {
  const found = findWeightFiles(folder);
  if (found === undefined) throw new WeightFileError(`Expected ${wantedWeights} in ${folder}, found none.`);
  const path = join(folder, found.file);
  switch (found.format) {
    case 'safetensors':
      return readTensorIndex(folder);
    case 'pytorch':
      if (found.file.endsWith('.json')) return readShards(path, '.bin', readTorchFile);
      return new Map(readTorchFile(path).map((view) => [view.name, view]));
    case 'onnx':
      throw new Error(`${path} is a graph of its own, not a set of tensors. This is a bug.`);
    default:
      return found.format satisfies never;
  }
}

function listOnnxFiles(folder: string, subfolder: '' | 'onnx/'): readonly string[] {
  const path = join(folder, subfolder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => subfolder + name);
}

/** Plain float32 files before optimised ones, those before files of fewer bits; then by name, so the choice never varies. */
function compareOnnxFiles(a: string, b: string): number {
  return rankOf(a) - rankOf(b) || Number(b.startsWith('onnx/')) - Number(a.startsWith('onnx/')) || (a < b ? -1 : 1);
}

/** Names as optimum and sentence-transformers give them: `model_O4.onnx` is float16, `model_qint8_avx512.onnx` int8. */
function rankOf(path: string): number {
  const name = path.replace(/^onnx\//, '').replace(/\.onnx$/, '');
  if (/(^|[_.-])(q\w*|u?int\d|bnb4|quant\w*)([_.-]|$)/i.test(name)) return 40;
  if (/(^|[_.-])(fp16|float16|half|bf16|O4)([_.-]|$)/i.test(name)) return 30;
  if (/(^|[_.-])(O[123]|optimi[sz]ed)([_.-]|$)/i.test(name)) return 20;
  return name === 'model' ? 0 : 10;
}
