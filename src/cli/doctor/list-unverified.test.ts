import { expect, test } from 'vitest';
import type { Findings } from './diagnose.ts';
import { listUnverified } from './list-unverified.ts';

const plain = {
  wanted: 'mean',
  used: 'mean',
  declared: 'mean',
  steps: ['Transformer', 'Pooling', 'Normalize'],
  prompts: {},
  defaultPrompt: null,
  tasks: [],
} as const;
const files = { repository: null, allowlistLine: null, folder: '/m', revision: null, places: [] };
const limits = { maxTokens: 512, ofModel: 512, declared: 512, configured: null, tokenIds: 'model' } as const;

const architecture = { modelType: 'a', candidates: [], name: 'a', ownCode: null, dialect: '', unreadFields: [] };

function unverified(facts: Partial<Findings>): readonly string[] {
  return listUnverified({ target: 'm', files, problems: [], ...facts });
}

test('a model that is followed in everything has no unverified point', () => {
  expect(unverified({ pooling: plain, limits })).toEqual([]);
});

test.each<[string, Partial<Findings>, RegExp]>([
  ['another pooling', { pooling: { ...plain, declared: 'cls' } }, /declare cls pooling, mean is used/],
  ['steps left out', { pooling: { ...plain, steps: [...plain.steps, 'Dense'] } }, /steps Dense, which are left out/],
  ['prompts', { pooling: { ...plain, prompts: { query: 'q: ', document: '' } } }, /prompts \(query\)/],
  ['a default prompt', { pooling: { ...plain, defaultPrompt: 'query' } }, /"query" before every text by default/],
  ['tasks', { pooling: { ...plain, tasks: ['retrieval'] } }, /tasks \(retrieval\)/],
  ['a shorter length', { limits: { ...limits, declared: 128 } }, /cut texts at 128 tokens .*; here 512/],
  ['a length the model has not', { limits: { ...limits, declared: 600 } }, /says 600 tokens, but the model takes 512/],
  [
    'tensors without a rule',
    { tensors: { used: 3, notNeeded: 0, notUsed: Array.from({ length: 10 }, (_, n) => `t.${n}`) } },
    /not used.*\(10\): t\.0.*t\.7 and 2 more/,
  ],
  [
    'fields of the config',
    { architecture: { ...architecture, unreadFields: ['window'] } },
    /these fields of config\.json: window/,
  ],
  [
    'code of its own',
    { architecture: { ...architecture, ownCode: 'modeling_a.A' } },
    /code of its own \(modeling_a\.A\)/,
  ],
  [
    'narrow weights',
    { weights: { format: '', files: [], sizeBytes: 1, tensors: 1, parameters: 1, storedAs: { F32: 1, BF16: 1 } } },
    /stored as BF16 are computed in float32/,
  ],
  ['a model off the list', { files: { ...files, repository: 'a/b' } }, /a\/b is not on the allowlist/],
  [
    'a broken place',
    {
      files: {
        ...files,
        repository: 'a/b',
        allowlistLine: 1,
        places: [{ kind: 'local', folder: '/x', problem: 'config.json is empty' }],
      },
    },
    /\/x was passed over: config\.json is empty/,
  ],
])('%s is an unverified point', (_name, facts, sentence) => {
  const points = unverified(facts);
  expect(points).toHaveLength(1);
  expect(points[0]).toMatch(sentence);
});

test('where the model is followed, its pooling and its steps are no point', () => {
  const followed = { ...plain, wanted: 'model', used: 'cls', declared: 'cls', steps: ['Pooling', 'Dense'] } as const;
  expect(unverified({ pooling: followed })).toEqual([]);
});
