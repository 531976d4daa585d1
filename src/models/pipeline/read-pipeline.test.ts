import { expect, test } from 'vitest';
import { folderOf, modulesOf } from '../../../tests/graph/model-folder.ts';
import { ModulesFileError } from '../../store/modules.ts';
import { ConfigFieldError } from '../config-fields.ts';
import { findRoutes, readPipeline } from './read-pipeline.ts';
import { UnbuiltModuleError } from './unbuilt-module.ts';

const hidden = 8;
const pooling = { '1_Pooling/config.json': { pooling_mode: ['cls', 'mean'] } };
const dense = { in_features: 16, out_features: 4, activation_function: 'torch.nn.modules.activation.GELU' };

function read(files: Readonly<Record<string, unknown>>, options: Partial<Parameters<typeof readPipeline>[1]> = {}) {
  return readPipeline(folderOf(files), { hidden, config: {}, ...options });
}

test('a folder without modules.json is mean-pooled, and a causal language model ends in its last token', () => {
  expect(read({})).toMatchObject({ pooling: { modes: ['mean'] }, steps: [], dimensions: 8 });
  const causal = { architectures: ['Qwen3ForCausalLM'] };
  expect(read({}, { config: causal }).pooling.modes).toEqual(['lasttoken']);
  expect(read({}, { config: { ...causal, is_causal: false } }).pooling.modes).toEqual(['mean']);
});

test('every step is read with its sizes, and the last normalisation is left to the end', () => {
  const pipeline = read({
    'modules.json': modulesOf(
      'Transformer',
      'Pooling',
      'Dense',
      'LayerNorm',
      'Normalize',
      'Dropout',
      'Dense',
      'Normalize',
    ),
    ...pooling,
    '2_Dense/config.json': { ...dense, bias: false, use_residual: true },
    '3_LayerNorm/config.json': { dimension: 4 },
    '6_Dense/config.json': { in_features: 4, out_features: 6 },
  });
  expect(pipeline).toEqual({
    tokenSteps: [],
    pooling: { modes: ['cls', 'mean'], includePrompt: true },
    steps: [
      { kind: 'dense', path: '2_Dense', inputs: 16, outputs: 4, bias: false, activation: 'GELU', isResidual: true },
      { kind: 'layer-norm', path: '3_LayerNorm', size: 4 },
      { kind: 'normalize' },
      { kind: 'dense', path: '6_Dense', inputs: 4, outputs: 6, bias: true, activation: 'Tanh', isResidual: false },
    ],
    dimensions: 6,
    isTruncated: false,
  });
});

test('truncate_dim shortens the vector and never lengthens it', () => {
  const files = { 'modules.json': modulesOf('Transformer', 'Pooling'), ...pooling };
  expect(read(files, { truncateDimensions: 5 })).toMatchObject({ dimensions: 5, isTruncated: true });
  expect(read(files, { truncateDimensions: 99 })).toMatchObject({ dimensions: 16, isTruncated: false });
});

test('steps on token vectors come before pooling', () => {
  const onTokens = { in_features: 8, out_features: 10, module_input_name: 'token_embeddings' };
  const modules = [modulesOf('Transformer')[0], { type: 'x.Dense', path: 'd' }, modulesOf('', 'Pooling')[1]];
  const { tokenSteps, dimensions } = read({ 'modules.json': modules, 'd/config.json': onTokens, ...pooling });
  expect(tokenSteps).toMatchObject([{ kind: 'dense', inputs: 8, outputs: 10 }]);
  expect(dimensions).toBe(20);
});

test('a static embedding pools by itself', () => {
  expect(read({ 'modules.json': modulesOf('StaticEmbedding', 'Normalize') })).toMatchObject({
    pooling: { modes: ['mean'] },
    steps: [],
    dimensions: 8,
  });
  expect(() => read({ 'modules.json': modulesOf('StaticEmbedding', 'Pooling'), ...pooling })).toThrow(/pools twice/);
});

test.each(['WeightedLayerPooling', 'CNN', 'LSTM', 'WordWeights', 'toString'])(
  'a step %s is refused by name',
  (kind) => {
    const files = { 'modules.json': modulesOf('Transformer', 'Pooling', kind), ...pooling };
    expect(() => read(files)).toThrow(UnbuiltModuleError);
    expect(() => read(files)).toThrow(`a step "${kind}"`);
  },
);

test.each([['BoW'], ['WordEmbeddings', 'Pooling'], ['CLIPModel'], ['Router']])(
  'a model that begins with %s is refused',
  (...kinds) => {
    expect(() => read({ 'modules.json': modulesOf(...kinds), ...pooling })).toThrow(`a step "${kinds[0]}"`);
  },
);

test('a list without steps is refused', () => {
  expect(() => read({ 'modules.json': [] })).toThrow(/has no steps/);
});

test('a pipeline without pooling, or with an activation that is not built, is refused by name', () => {
  expect(() => read({ 'modules.json': modulesOf('Transformer', 'Normalize') })).toThrow(/no step "Pooling"/);
  const files = { 'modules.json': modulesOf('Transformer', 'Pooling', 'Dense'), ...pooling };
  for (const path of ['torch.nn.modules.activation.RReLU', 'my.Tanh', 'torch.toString'])
    expect(() => read({ ...files, '2_Dense/config.json': { ...dense, activation_function: path } })).toThrow(
      `"Dense" with the activation "${path}"`,
    );
});

test('a step on vectors other than those before it is refused', () => {
  const files = { 'modules.json': modulesOf('Transformer', 'Pooling', 'Dense'), ...pooling };
  for (const name of ['module_input_name', 'module_output_name'])
    expect(() => read({ ...files, '2_Dense/config.json': { ...dense, [name]: 'token_embeddings' } })).toThrow(
      /"Dense" on other vectors/,
    );
});

test('sizes that do not fit each other are refused, naming the file and the field', () => {
  const modules = { 'modules.json': modulesOf('Transformer', 'Pooling', 'Dense', 'LayerNorm'), ...pooling };
  expect(() => read({ ...modules, '2_Dense/config.json': { ...dense, in_features: 8 } })).toThrow(
    /in_features of 2_Dense\/config\.json to be 16.*got 8/,
  );
  const norm = { '2_Dense/config.json': dense, '3_LayerNorm/config.json': { dimension: 5 } };
  expect(() => read({ ...modules, ...norm })).toThrow(/dimension of 3_LayerNorm\/config\.json to be 4.*got 5/);
});

test.each([{ pooling_mode: 'median' }, { pooling_mode: ['cls', 3] }, { include_prompt: 'no' }, [], 'null'])(
  'the pooling config %j is refused, naming the file',
  (config) => {
    const files = { 'modules.json': modulesOf('Transformer', 'Pooling'), '1_Pooling/config.json': config };
    expect(() => read(files)).toThrow(ConfigFieldError);
    expect(() => read(files)).toThrow(/1_Pooling\/config\.json/);
  },
);

const router = {
  types: { query_0_Dense: 'sentence_transformers.models.Dense', n: 'x.Normalize' },
  structure: { query: ['query_0_Dense'], document: ['n'] },
};

function routed(parameters: object, extra: object = {}): Readonly<Record<string, unknown>> {
  return {
    'modules.json': modulesOf('Transformer', 'Pooling', 'Router'),
    ...pooling,
    '2_Router/router_config.json': { ...router, parameters, ...extra },
    '2_Router/query_0_Dense/config.json': dense,
  };
}

test('a Router follows the route asked for, else the default, else the first', () => {
  const files = routed({ default_route: 'document' });
  expect(read(files, { route: 'query' }).steps).toMatchObject([{ kind: 'dense', path: '2_Router/query_0_Dense' }]);
  expect(read(files).dimensions).toBe(16);
  expect(read(routed({})).dimensions).toBe(4);
  expect([...(findRoutes(folderOf(files))?.steps.keys() ?? [])]).toEqual(['query', 'document']);
  expect(findRoutes(folderOf({}))).toBeUndefined();
});

test('a Router without a default needs a route; Asym with its older file name is the same', () => {
  expect(() => read(routed({ allow_empty_key: false }))).toThrow(/name one of query, document as input_type or task/);
  const { '2_Router/router_config.json': config, ...rest } = routed({});
  const modules = [
    ...modulesOf('Transformer', 'Pooling'),
    { type: 'sentence_transformers.models.Asym', path: '2_Router' },
  ];
  expect(read({ ...rest, 'modules.json': modules, '2_Router/config.json': config }).dimensions).toBe(4);
});

test('a Router that leads out of its folder, or maps its routes, is refused', () => {
  const away = { types: { '../x': 'a.Dense' }, structure: { query: ['../x'] } };
  expect(() => read(routed({}, away))).toThrow(ModulesFileError);
  expect(() => read(routed({ route_mappings: { "('query', None)": 'query' } }))).toThrow(/no route_mappings/);
  expect(() => read(routed({}, { structure: { query: 'x' } }))).toThrow(ConfigFieldError);
});
