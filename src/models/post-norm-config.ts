import type { ActivationName } from '../graph/layers/activation.ts';
import type { ModelShape } from './architecture.ts';
import type { ConfigFields } from './config-fields.ts';
import { parseActivation } from './parse-activation.ts';

/** What BERT and its relatives say of themselves in one dialect. */
export interface PostNormConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  /** Rows of the position table. */
  readonly positions: number;
  readonly activation: ActivationName;
  readonly epsilon: number;
}

/** The options are what holds where the config says nothing. @throws ConfigFieldError */
export function parsePostNormConfig(
  fields: ConfigFields,
  { activation = 'gelu', epsilon = 1e-12 }: Partial<Pick<PostNormConfig, 'activation' | 'epsilon'>> = {},
): PostNormConfig {
  fields.fixed('position_embedding_type', 'absolute');
  fields.fixed('is_decoder', false); // a decoder masks later tokens
  const hidden = fields.integer('hidden_size');
  return {
    hidden,
    layers: fields.integer('num_hidden_layers'),
    heads: fields.divisor('num_attention_heads', 'hidden_size', hidden),
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    positions: fields.integer('max_position_embeddings'),
    activation: parseActivation(fields, 'hidden_act', activation),
    epsilon: fields.positive('layer_norm_eps', epsilon),
  };
}

/** The shape of a model whose positions count 0, 1, 2, ... to the end of its table. */
export function shapeOf({ hidden, layers, vocabulary, positions }: PostNormConfig): ModelShape {
  return { hidden, layers, vocabulary, maxTokens: positions, positions: { first: 0 } };
}

/** The shape of a model whose positions follow RoBERTa: they start after `paddingId`, whose tokens are not counted. */
export function robertaShapeOf(config: PostNormConfig, paddingId: number): ModelShape {
  const first = paddingId + 1;
  return { ...shapeOf(config), maxTokens: config.positions - first, positions: { first, paddingId } };
}
