import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectFiles, selectFirstFiles, selectIndexes, type SelectionFacts } from './select-files.ts';

const plain: SelectionFacts = { root: '', modules: [], readShards: () => [] };

/** What a popular repository holds, most of it for others. */
const crowded = [
  '.gitattributes',
  'README.md',
  'config.json',
  'modules.json',
  'config_sentence_transformers.json',
  'sentence_bert_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'vocab.txt',
  'data_config.json',
  'train_script.py',
  'modeling_bert.py',
  'model.safetensors',
  'pytorch_model.bin',
  'tf_model.h5',
  'flax_model.msgpack',
  'rust_model.ot',
  'model.gguf',
  'optimizer.pt',
  'training_args.bin',
  'trainer_state.json',
  'onnx/model.onnx',
  'onnx/model_O4.onnx',
  'openvino/openvino_model.bin',
  'openvino/openvino_model.xml',
  'checkpoint-500/config.json',
  'checkpoint-500/model.safetensors',
  '1_Pooling/config.json',
  '2_Dense/config.json',
  '2_Dense/model.safetensors',
  '2_Dense/pytorch_model.bin',
];

test('of a crowded repository only what is read is taken', () => {
  const { others, weights } = selectFiles(crowded, { ...plain, modules: ['1_Pooling', '2_Dense', '3_Normalize'] });
  expect(weights).toEqual(['model.safetensors']);
  expect(others).toEqual([
    'config.json',
    'modules.json',
    'config_sentence_transformers.json',
    'sentence_bert_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
    'vocab.txt',
    '1_Pooling/config.json',
    '2_Dense/config.json',
    '2_Dense/model.safetensors',
  ]);
});

test('without modules.json no folder is taken', () => {
  expect(selectFiles(crowded, plain).others.filter((path) => path.includes('/'))).toEqual([]);
});

test.each([
  [['model.safetensors', 'pytorch_model.bin'], ['model.safetensors']],
  [['pytorch_model.bin', 'onnx/model.onnx'], ['pytorch_model.bin']],
  [
    [
      'onnx/model.onnx_data',
      'onnx/model.onnx_data_1',
      'onnx/model.onnx',
      'onnx/model_O2.onnx',
      'onnx/model_O2.onnx_data',
    ],
    ['onnx/model.onnx_data', 'onnx/model.onnx_data_1', 'onnx/model.onnx'],
  ],
  [
    ['model.onnx', 'model.onnx.data'],
    ['model.onnx.data', 'model.onnx'],
  ],
  [['adapter_model.safetensors'], []],
])('of %j the weights are %j', (paths, weights) => {
  expect(selectFiles(paths, plain).weights).toEqual(weights);
});

test('shards come before the index that makes them weights', () => {
  const paths = [
    'model-1-of-2.safetensors',
    'model-2-of-2.safetensors',
    'other.safetensors',
    'model.safetensors.index.json',
  ];
  expect(selectIndexes(paths, plain)).toEqual(['model.safetensors.index.json']);
  const shards = ['model-1-of-2.safetensors', 'model-2-of-2.safetensors'];
  expect(selectFiles(paths, { ...plain, readShards: () => shards }).weights).toEqual([
    ...shards,
    'model.safetensors.index.json',
  ]);
});

test('a model in a folder of its own is taken from there, with the folders of its other steps', () => {
  const paths = [
    'modules.json',
    '0_Transformer/config.json',
    '0_Transformer/model.safetensors',
    '0_Transformer/tokenizer.json',
    '0_Transformer/sentence_bert_config.json',
    '0_Transformer/onnx/model.onnx',
    '1_Router/router_config.json',
    '1_Router/query_0_Dense/config.json',
    '1_Router/query_0_Dense/model.safetensors',
    '1_Router/query_0_Dense/rust_model.ot',
    '9_Unlisted/config.json',
  ];
  const { others, weights } = selectFiles(paths, { ...plain, root: '0_Transformer', modules: ['1_Router'] });
  expect(weights).toEqual(['0_Transformer/model.safetensors']);
  expect(others).toEqual([
    'modules.json',
    '0_Transformer/config.json',
    '0_Transformer/tokenizer.json',
    '0_Transformer/sentence_bert_config.json',
    '1_Router/router_config.json',
    '1_Router/query_0_Dense/config.json',
    '1_Router/query_0_Dense/model.safetensors',
  ]);
});

test('every kind of tokenizer is taken whole', () => {
  const files = [
    'vocab.txt',
    'bpe.codes',
    'vocab.json',
    'merges.txt',
    'sentencepiece.bpe.model',
    'spiece.model',
    'tokenizer.model',
    'added_tokens.json',
    'sentence_xlm-roberta_config.json',
  ];
  expect(selectFiles(files, plain).others).toEqual(files);
});

test('whatever a repository holds: no code, no other framework, one set of weights, and only files that are there', () => {
  const folder = fc.constantFrom('', '', '1_Pooling/', '2_Dense/', 'onnx/', 'openvino/', 'a/b/');
  const name = fc.oneof(
    fc.constantFrom(...crowded.map((path) => path.split('/').at(-1) ?? '')),
    fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme-ascii' }).filter((text) => !text.includes('/')),
  );
  const paths = fc.uniqueArray(
    fc.tuple(folder, name).map((parts) => parts.join('')),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(paths, (all) => {
      const { others, weights } = selectFiles(all, { ...plain, modules: ['1_Pooling', '2_Dense'] });
      const taken = [...others, ...weights];
      expect(new Set(taken).size).toBe(taken.length);
      expect(taken.filter((path) => !all.includes(path))).toEqual([]);
      expect(
        taken.filter((path) => /\.(py|h5|msgpack|ot|gguf|pt|xml|md)$|training|trainer|openvino|^a\//.test(path)),
      ).toEqual([]);
      expect(weights.filter((path) => /\.(safetensors|bin|onnx)$/.test(path)).length).toBeLessThanOrEqual(1);
      expect(taken).toEqual(expect.arrayContaining([...selectFirstFiles(all)]));
    }),
  );
});
