import type { ActivationName } from '../graph/layers/activation.ts';
import { quote } from '../store/file-reader.ts';
import type { TensorIndex } from '../store/safetensors.ts';
import { ConfigFieldError, ConfigFields } from './config-fields.ts';
import { parseActivation } from './parse-activation.ts';
import { readRope } from './rope.ts';

export interface NomicConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly maxTokens: number;
  /** 0 for none. */
  readonly tokenTypes: number;
  readonly epsilon: number;
  readonly activation: NomicActivation;
  readonly rope: NomicRope;
  /** Undefined where the config does not say: the tensors do. */
  readonly biases: Readonly<Record<'attention' | 'first' | 'second', boolean | undefined>>;
  readonly mixture: NomicMixture | undefined;
}

export type NomicActivation =
  | { readonly kind: 'gate'; readonly name: ActivationName }
  | { readonly kind: 'plain'; readonly name: ActivationName };

export interface NomicRope {
  readonly theta: number;
  /** Columns of a head; all of them turn. */
  readonly size: number;
  /** Of sequences longer than `trained`. */
  readonly stretch: { readonly factor: number; readonly trained: number } | undefined;
}

export interface NomicMixture {
  /** Layers 1, 1 + n, 1 + 2n, ... have experts. */
  readonly everyLayers: number;
  readonly experts: number;
  readonly chosen: number;
}

const activationFunctions: Readonly<Record<string, NomicActivation>> = {
  swiglu: { kind: 'gate', name: 'silu' },
  geglu: { kind: 'gate', name: 'gelu' },
  glu: { kind: 'gate', name: 'sigmoid' },
  gelu: { kind: 'plain', name: 'gelu' },
};

const gatedMultiple = 256; // the original code rounds the width of a gated layer up to it
const defaultTrained = 2048; // `max_trained_positions` of the original code

/** Reads a config in either set of names: GPT-2's of the original code (`n_embd`) or BERT's of transformers (`hidden_size`). */
export function parseNomicConfig(json: unknown, tensors?: TensorIndex): NomicConfig {
  const fields = new ConfigFields(json);
  refuseVariants(fields);
  const hiddenName = fields.nameOf('n_embd', 'hidden_size');
  const hidden = fields.integer(hiddenName);
  const headsName = fields.nameOf('n_head', 'num_attention_heads');
  const heads = fields.has('head_dim') ? fields.integer(headsName) : fields.divisor(headsName, hiddenName, hidden);
  const size = fields.has('head_dim') ? fields.integer('head_dim') : hidden / heads;
  if (size % 2 !== 0 || size < 4 || size > hidden)
    throw new ConfigFieldError(
      `Expected heads of an even number of columns from 4 to ${hiddenName} ${hidden} in config.json, got ${size}.`,
    );
  const activation = readActivation(fields);
  const mixture = readMixture(fields);
  if (mixture !== undefined && activation.kind === 'gate')
    throw new ConfigFieldError('Expected activation_function of config.json to be "gelu" in a model with experts.');
  return {
    hidden,
    layers: fields.integer(fields.nameOf('n_layer', 'num_hidden_layers')),
    heads,
    intermediate: readIntermediate(fields, hidden, { activation, tensors }),
    vocabulary: readVocabulary(fields, tensors),
    maxTokens: fields.integer(fields.nameOf('n_positions', 'max_position_embeddings')),
    tokenTypes: fields.integer('type_vocab_size', { fallback: 2, min: 0 }),
    epsilon: fields.positive(
      fields.nameOf('layer_norm_epsilon', 'layer_norm_eps'),
      hasOriginalNames(fields) ? 1e-5 : 1e-12,
    ),
    activation,
    rope: readNomicRope(fields, size),
    biases: {
      attention: optionalBoolean(fields, 'qkv_proj_bias'),
      first: optionalBoolean(fields, 'mlp_fc1_bias'),
      second: optionalBoolean(fields, 'mlp_fc2_bias'),
    },
    mixture,
  };
}

/** The original code rounds the table up to `pad_vocab_size_multiple` rows, transformers does not: the table decides. */
function readVocabulary(fields: ConfigFields, tensors: TensorIndex | undefined): number {
  const size = fields.integer('vocab_size');
  const multiple = fields.integer('pad_vocab_size_multiple', { fallback: 1 });
  const rows = tensors?.get('embeddings.word_embeddings.weight')?.shape[0];
  return rows === size ? size : roundUp(size, multiple);
}

/** The two dialects also differ in defaults. */
function hasOriginalNames(fields: ConfigFields): boolean {
  return fields.has('n_embd');
}

/** What the original code can be told to compute and no published text model does. */
function refuseVariants(fields: ConfigFields): void {
  fields.fixed('prenorm', false);
  fields.fixed('causal', false);
  fields.fixed('use_rms_norm', false);
  fields.fixed('norm_mlp', false);
  fields.fixed('rotary_emb_fraction', 1);
  fields.fixed('rotary_emb_interleaved', false);
  fields.choice('rotary_emb_scale_base', isAbsent, 'null');
  fields.fixed('expert_choice_router', false);
  fields.fixed('num_shared_experts', 0);
}

function isAbsent(value: unknown): value is undefined {
  return value === undefined;
}

function readActivation(fields: ConfigFields): NomicActivation {
  if (fields.has('activation_function')) {
    const expected = `one of ${Object.keys(activationFunctions).join(', ')}`;
    const isKnown = (name: unknown): name is string =>
      typeof name === 'string' && Object.hasOwn(activationFunctions, name);
    return activationFunctions[fields.choice('activation_function', isKnown, expected)]!; // checked
  }
  return { kind: 'gate', name: parseActivation(fields, 'hidden_act', 'silu') };
}

/** The original code rounds a gated layer up, transformers does not: again the tensor decides. */
function readIntermediate(
  fields: ConfigFields,
  hidden: number,
  {
    activation: { kind },
    tensors,
  }: { readonly activation: NomicActivation; readonly tensors: TensorIndex | undefined },
): number {
  if (!fields.has('n_inner') && fields.has('intermediate_size')) return fields.integer('intermediate_size');
  const intermediate = fields.integer('n_inner', {
    fallback: kind === 'gate' ? Math.floor((8 * hidden) / 3) : 4 * hidden,
  });
  const rows = tensors?.get('encoder.layers.0.mlp.fc11.weight')?.shape[0];
  return kind === 'plain' || rows === intermediate ? intermediate : roundUp(intermediate, gatedMultiple);
}

/** A file may have both dialects; then what the original code reads counts. */
function readNomicRope(fields: ConfigFields, size: number): NomicRope {
  const maxPositions = fields.integer('max_position_embeddings', { fallback: defaultTrained });
  const trained = fields.integer('max_trained_positions', { fallback: maxPositions });
  const original = fields.optionalPositive('rotary_emb_base');
  const { theta, scaling } =
    original === undefined
      ? readRope(fields, { size, maxPositions, theta: hasOriginalNames(fields) ? 10_000 : 1000 })
      : { theta: original, scaling: undefined };
  const factor = fields.optionalPositive('rotary_scaling_factor') ?? readFactor(scaling);
  return {
    size,
    theta,
    stretch: factor === undefined ? undefined : { factor, trained },
  };
}

/** The factor of transformers' dynamic scaling, which is the same formula. */
function readFactor(scaling: unknown): number | undefined {
  if (scaling === undefined || scaling === null) return undefined;
  const fields = new ConfigFields(scaling, 'rope_scaling of config.json');
  const kind = fields.optionalText('rope_type') ?? fields.optionalText('type') ?? 'default';
  if (kind === 'default') return undefined;
  if (kind === 'dynamic') return fields.positive('factor');
  throw new ConfigFieldError(
    `Expected rope_scaling of config.json to be of type default, dynamic, got ${quote(kind)}.`,
  );
}

function readMixture(fields: ConfigFields): NomicMixture | undefined {
  const everyLayers = fields.integer('moe_every_n_layers', { fallback: 0, min: 0 });
  if (everyLayers === 0) return undefined;
  const experts = fields.integer('num_experts');
  const chosen = fields.integer('moe_top_k');
  if (chosen > experts)
    throw new ConfigFieldError(
      `Expected moe_top_k of config.json to be at most num_experts ${experts}, got ${chosen}.`,
    );
  return { everyLayers, experts, chosen };
}

function optionalBoolean(fields: ConfigFields, field: string): boolean | undefined {
  return fields.has(field) ? fields.boolean(field, false) : undefined;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
