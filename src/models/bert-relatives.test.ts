import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Architecture } from './architecture.ts';
import { albert } from './albert.ts';
import { ConfigFieldError } from './config-fields.ts';
import { deberta } from './deberta.ts';
import { distilbert } from './distilbert.ts';
import { electra } from './electra.ts';
import { ernie } from './ernie.ts';
import { mpnet } from './mpnet.ts';
import { openModel } from './open-model.ts';
import { roberta } from './roberta.ts';

const tiny = (name: string) => fileURLToPath(new URL(`../../tests/goldens/models/tiny/${name}`, import.meta.url));

function configOf(name: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(`${tiny(name)}/config.json`, 'utf8')) as Readonly<Record<string, unknown>>;
}

interface Case {
  readonly checkpoint: string;
  readonly architecture: Architecture<unknown>;
  /** Fields that may be missing, with what then holds. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Fields and values that are refused. */
  readonly refused: readonly (readonly [field: string, value: unknown])[];
}

const sizes = ['hidden_size', 'num_hidden_layers', 'num_attention_heads', 'intermediate_size', 'vocab_size'];
const inCommon: Case['refused'] = [
  ...[...sizes, 'max_position_embeddings'].flatMap((field) => [[field, undefined] as const, [field, 0] as const]),
  ['position_embedding_type', 'relative_key'],
  ['position_embedding_type', 'relative_key_query'],
  ['is_decoder', true],
  ['hidden_act', 'gelu_10'],
  ['layer_norm_eps', 0],
];
const defaults = { type_vocab_size: 2, hidden_act: 'gelu', layer_norm_eps: 1e-12 };

const cases: Readonly<Record<string, Case>> = {
  roberta: {
    checkpoint: 'roberta',
    architecture: roberta,
    defaults: { ...defaults, pad_token_id: 1 },
    refused: [...inCommon, ['pad_token_id', -1], ['pad_token_id', 82], ['max_position_embeddings', 2]],
  },
  mpnet: {
    checkpoint: 'mpnet',
    architecture: mpnet,
    defaults: { hidden_act: 'gelu', layer_norm_eps: 1e-12, relative_attention_num_buckets: 32 },
    refused: [...inCommon, ['relative_attention_num_buckets', 64], ['max_position_embeddings', 2]],
  },
  distilbert: {
    checkpoint: 'distilbert',
    architecture: distilbert,
    defaults: { activation: 'gelu' },
    refused: [
      ...['dim', 'n_layers', 'n_heads', 'hidden_dim', 'vocab_size', 'max_position_embeddings'].flatMap((field) => [
        [field, undefined] as const,
        [field, 0] as const,
      ]),
      ['n_heads', 5],
      ['activation', 'gelu_10'],
    ],
  },
  electra: {
    checkpoint: 'electra',
    architecture: electra,
    defaults: { ...defaults, embedding_size: 128 },
    refused: [...inCommon, ['embedding_size', 0]],
  },
  albert: {
    checkpoint: 'albert',
    architecture: albert,
    defaults: { ...defaults, hidden_act: 'gelu_new', embedding_size: 128, num_hidden_groups: 1, inner_group_num: 1 },
    refused: [
      ...inCommon,
      ['embedding_size', 0],
      ['num_hidden_groups', 99],
      ['inner_group_num', 0],
      ['inner_group_num', 1000],
      ['num_hidden_layers', 1001],
    ],
  },
  ernie: {
    checkpoint: 'ernie',
    architecture: ernie,
    defaults: { ...defaults, use_task_id: false },
    refused: [...inCommon, ['use_task_id', 'perhaps'], ['task_type_vocab_size', 0]],
  },
  deberta: {
    checkpoint: 'deberta',
    architecture: deberta,
    defaults: { type_vocab_size: 0, hidden_act: 'gelu', layer_norm_eps: 1e-7, norm_rel_ebd: 'none' },
    refused: [
      ...inCommon,
      ['max_position_embeddings', 65_537],
      ...['relative_attention', 'share_att_key'].flatMap((field) => [
        [field, undefined] as const,
        [field, false] as const,
      ]),
      ['position_biased_input', undefined],
      ['position_biased_input', true],
      ['pos_att_type', undefined],
      ['pos_att_type', 'c2p'],
      ['pos_att_type', ['c2p']],
      ['type_vocab_size', 2],
      ['conv_kernel_size', 3],
      ['embedding_size', 24],
      ['attention_head_size', 16],
      ['norm_rel_ebd', 'batch_norm'],
      ['position_buckets', 1.5],
    ],
  },
};

describe.each(Object.entries(cases))('%s', (_name, { checkpoint, architecture, defaults: fallbacks, refused }) => {
  const config = configOf(checkpoint);

  test('fields that transformers defaults may be missing', () => {
    const kept = Object.fromEntries(Object.entries(config).filter(([field]) => !Object.hasOwn(fallbacks, field)));
    expect(architecture.parseConfig(kept)).toEqual(architecture.parseConfig({ ...kept, ...fallbacks }));
  });

  test.each(refused)('%s = %j is refused by name', (field, value) => {
    const wrong = { ...config, [field]: value };
    expect(() => architecture.parseConfig(wrong)).toThrow(ConfigFieldError);
    // RoBERTa's padding id takes rows of the position table.
    expect(() => architecture.parseConfig(wrong)).toThrow(new RegExp(`${field}|max_position_embeddings`));
  });
});

test('positions of RoBERTa start after the padding id, which leaves fewer than the table has rows', () => {
  const shapeOf = (paddingId: number, rows: number) =>
    roberta.describe(
      roberta.parseConfig({ ...configOf('roberta'), pad_token_id: paddingId, max_position_embeddings: rows }),
    );
  expect(shapeOf(1, 514)).toMatchObject({ maxTokens: 512, positions: { first: 2, paddingId: 1 } });
  expect(shapeOf(1, 258)).toMatchObject({ maxTokens: 256 });
  expect(shapeOf(1, 8194)).toMatchObject({ maxTokens: 8192 });
  expect(shapeOf(0, 512)).toMatchObject({ maxTokens: 511, positions: { first: 1, paddingId: 0 } });
});

test('positions of MPNet follow padding id 1 whatever the config says', () => {
  const config = mpnet.parseConfig({ ...configOf('mpnet'), pad_token_id: 0, max_position_embeddings: 514 });
  expect(mpnet.describe(config)).toMatchObject({ maxTokens: 512, positions: { first: 2, paddingId: 1 } });
});

test('DistilBERT may name its sizes as BERT does', () => {
  const { dim, n_layers, n_heads, ...rest } = configOf('distilbert');
  const renamed = { ...rest, hidden_size: dim, num_hidden_layers: n_layers, num_attention_heads: n_heads };
  expect(distilbert.parseConfig(renamed)).toEqual(distilbert.parseConfig(configOf('distilbert')));
});

test('DeBERTa names its kinds of attention as a list or as one text', () => {
  const parse = (pos_att_type: unknown) => deberta.parseConfig({ ...configOf('deberta'), pos_att_type });
  expect(parse(['p2c', 'c2p'])).toEqual(parse('c2p|p2c'));
});

test('DeBERTa without buckets has one row for each distance up to the longest', () => {
  const parse = (changes: object) => deberta.parseConfig({ ...configOf('deberta'), position_buckets: -1, ...changes });
  expect(parse({})).toMatchObject({ span: 700, logarithmicTo: undefined });
  expect(parse({ max_relative_positions: 90 })).toMatchObject({ span: 90 });
});

test('the epsilon of the config reaches every norm', async () => {
  for (const [name, epsilon] of [
    ['roberta', 1e-12],
    ['xlm-roberta', 1e-5],
    ['mpnet', 1e-5],
    ['distilbert', 1e-12],
    ['ernie', 1e-5],
  ] as const) {
    const { nodes } = (await openModel(tiny(name))).compile({ pooling: 'mean', provider: 'cpu' });
    const norms = nodes.filter(({ op }) => op === 'LayerNormalization');
    expect(norms).toHaveLength(5); // after the embeddings, and two in each of two layers
    for (const { attributes } of norms) expect(attributes['epsilon']).toEqual({ kind: 'float', value: epsilon });
  }
});

test('ALBERT applies the same weights in every layer', async () => {
  const { nodes, initializers } = (await openModel(tiny('albert'))).compile({ pooling: 'mean', provider: 'cpu' });
  expect(nodes.filter(({ op }) => op === 'Gemm')).toHaveLength(1 + 3 * 6);
  expect(initializers.filter(({ name }) => name.endsWith('ffn.weight'))).toHaveLength(1);
});

test('MPNet computes its bias once for all layers', async () => {
  const { nodes } = (await openModel(tiny('mpnet'))).compile({ pooling: 'mean', provider: 'cpu' });
  expect(nodes.filter(({ name }) => name.startsWith('encoder.relative_attention_bias/Gather'))).toHaveLength(1);
});
