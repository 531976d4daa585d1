import { expect, test } from 'vitest';
import type { GraphBuilder } from '../graph/builder.ts';
import { ConfigFields } from './config-fields.ts';
import { findUnreadFields } from './unread-fields.ts';

const architecture = {
  matches: (config: unknown) => new ConfigFields(config).has('is_causal'),
  parseConfig: (json: unknown) => {
    const fields = new ConfigFields(json);
    fields.integer('hidden_size');
    return fields.nested('rope_scaling');
  },
  build: (g: GraphBuilder, scaling: unknown) => {
    (scaling as ConfigFields | undefined)?.positive('factor'); // what parseConfig gave
    return g.scalar(0);
  },
};

function unread(config: object): readonly string[] {
  return findUnreadFields({ hidden_size: 4, ...config }, architecture, new Map());
}

test('fields that neither the choice nor the parser nor the graph looks at are named, nested ones with their path', () => {
  expect(unread({})).toEqual([]);
  expect(unread({ is_causal: true, window: 8 })).toEqual(['window']);
  expect(unread({ rope_scaling: { factor: 2, mixed_b: 1 } })).toEqual(['rope_scaling.mixed_b']);
});

test('an object that nobody looks at is named once, and fields without a value or for other work not at all', () => {
  expect(unread({ lora: { rank: 4, alpha: 1 }, nothing: null })).toEqual(['lora']);
  expect(unread({ torch_dtype: 'float16', id2label: { 0: 'a' }, hidden_dropout_prob: 0.1, use_cache: true })).toEqual(
    [],
  );
});
