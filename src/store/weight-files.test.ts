import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from '../../tests/graph/temp-folder.ts';
import { findWeightFiles, readWeights } from './weight-files.ts';

function folderOf(...files: readonly string[]): string {
  const folder = tempFolder();
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), 'x');
  }
  return folder;
}

test.each<[readonly string[], string]>([
  [['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin', 'onnx/model.onnx'], 'model.safetensors'],
  [['model.safetensors.index.json', 'pytorch_model.bin'], 'model.safetensors.index.json'],
  [['pytorch_model.bin', 'pytorch_model.bin.index.json', 'model.onnx'], 'pytorch_model.bin'],
  [['pytorch_model.bin.index.json', 'model.onnx'], 'pytorch_model.bin.index.json'],
  [['model.onnx', 'onnx/model.onnx'], 'onnx/model.onnx'],
  [['model.onnx', 'onnx/model_quantized.onnx'], 'model.onnx'],
  [['onnx/model_O1.onnx', 'onnx/model_fp16.onnx', 'onnx/model_O4.onnx'], 'onnx/model_O1.onnx'],
  [['onnx/model_qint8_avx512.onnx', 'onnx/model_O4.onnx', 'onnx/model_uint8.onnx'], 'onnx/model_O4.onnx'],
  [['onnx/model_q4f16.onnx', 'onnx/model_bnb4.onnx'], 'onnx/model_bnb4.onnx'],
  [['encoder.onnx', 'model_optimized.onnx'], 'encoder.onnx'],
])('of %j the weights are %s', (files, file) => {
  expect(findWeightFiles(folderOf(...files))?.file).toBe(file);
  expect(findWeightFiles(folderOf(...files.toReversed()))?.file).toBe(file);
});

test('adapters, optimizers, other modules and other runtimes are no weights', () => {
  const decoys = [
    'adapter_model.safetensors',
    'adapter_model.bin',
    'training_args.bin',
    'optimizer.pt',
    'consolidated.00.pth',
    'consolidated.safetensors',
    'lora/model.safetensors',
    '2_Dense/model.safetensors',
    '2_Dense/pytorch_model.bin',
    'openvino/openvino_model.bin',
    'lora/model.onnx',
    'rust_model.ot',
    'tf_model.h5',
    'model.onnx_data',
  ];
  expect(findWeightFiles(folderOf(...decoys))).toBeUndefined();
  expect(() => readWeights(folderOf(...decoys))).toThrow(
    /Expected model\.safetensors, pytorch_model\.bin, .* found none/,
  );
});

test('the shards of an index are read, each tensor from the shard that the index names', () => {
  const folder = fileURLToPath(new URL('../../tests/goldens/models/weights/bin-sharded', import.meta.url));
  const tensors = readWeights(folder);
  expect(tensors.size).toBe(37);
  expect(new Set([...tensors.values()].map(({ file }) => file.slice(-12)))).toEqual(new Set(['of-00002.bin']));
});
