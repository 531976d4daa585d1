import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { ActivationName } from '../graph/layers/activation.ts';
import { activations } from '../graph/layers/activation.ts';
import { attention } from '../graph/layers/attention.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { fusedLinear, linear } from '../graph/layers/linear.ts';
import { rmsNorm } from '../graph/layers/rms-norm.ts';
import type { RotaryFrequencies, RotaryTables } from '../graph/layers/rotary.ts';
import { rotary, rotaryTables } from '../graph/layers/rotary.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { parseActivation } from './parse-activation.ts';
import { frequencies, pairedSize, readRope, type RopeConfig, rotaryFrequencies } from './rope.ts';

/**
 * GTE (Zhang et al. 2024), Alibaba's "new-impl" of BERT with rotary positions, and the models that renamed it.
 * - Post-norm, no final norm; token types are always 0, and `type_vocab_size: 0` has no table of them.
 * - `mlp.up_gate_proj` is up and gate: the SECOND half is activated.
 * - NTK scaling is always on, at every length, and is not that of transformers (`ntkFrequencies`).
 * - `layer_norm_type: "rms_norm"` is about the layers; the embeddings keep LayerNorm.
 * - `pack_qkv: false` holds three projections: tensor names decide.
 * - `unpad_inputs` and `use_memory_efficient_attention` say how it runs, not what it computes.
 * - `Bilingual` is GTE, `bilingual` is RoBERTa.
 */
export const gte: Architecture<GteConfig> = {
  about: {
    unusual: 'rotary positions with NTK scaling, gated MLP',
    examples: [
      'dangvantuan/vietnamese-document-embedding',
      'dangvantuan/french-document-embedding',
      'Salesforce/SFR-Embedding-Code-400M_R',
      'Alibaba-NLP/gte-multilingual-base',
      'Alibaba-NLP/gte-large-en-v1.5',
      'Snowflake/snowflake-arctic-embed-m-v2.0',
    ],
  },
  prefixes: ['new.', 'gte.', 'Vietnamese.', 'Bilingual.'],
  matches: (_config, tensors) => tensors.has('encoder.layer.0.mlp.up_gate_proj.weight'),
  parseConfig,
  describe: (config) => ({
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxTokens: config.rope.maxPositions,
    positions: { first: 0 },
  }),
  build,
};

interface GteConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  /** 0 for none. */
  readonly tokenTypes: number;
  readonly activation: ActivationName;
  readonly norm: NormName;
  readonly epsilon: number;
  readonly rope: RopeConfig;
}

const norms = { layer_norm: layerNorm, rms_norm: rmsNorm } as const;

type NormName = keyof typeof norms;

function isNormName(name: unknown): name is NormName {
  return typeof name === 'string' && Object.hasOwn(norms, name);
}

function parseConfig(json: unknown): GteConfig {
  const fields = new ConfigFields(json);
  fields.fixed('position_embedding_type', 'rope');
  for (const field of ['logn_attention_scale', 'logn_attention_clip1'])
    if (fields.boolean(field, false)) fields.fixed(field, false); // the scores would depend on the length
  const hidden = fields.integer('hidden_size');
  const heads = fields.divisor('num_attention_heads', 'hidden_size', hidden);
  const size = pairedSize(hidden / heads);
  return {
    hidden,
    layers: fields.integer('num_hidden_layers'),
    heads,
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    tokenTypes: fields.integer('type_vocab_size', { fallback: 1, min: 0 }),
    activation: parseActivation(fields, 'hidden_act', 'gelu'),
    norm: fields.choice('layer_norm_type', isNormName, `one of ${Object.keys(norms).join(', ')}`, 'layer_norm'),
    epsilon: fields.positive('layer_norm_eps', 1e-12),
    rope: readGteRope(fields, size),
  };
}

/** A file may have both dialects; then what the original code reads counts. */
function readGteRope(fields: ConfigFields, size: number): RopeConfig {
  const maxPositions = fields.integer('max_position_embeddings');
  if (!fields.has('rope_scaling') && fields.has('rope_parameters'))
    return readRope(fields, { size, maxPositions, theta: 160_000 });
  const isNative = fields.value('model_type') === 'gte'; // the class of transformers, which has a default of its own
  return {
    size,
    maxPositions,
    theta: fields.positive('rope_theta', isNative ? 160_000 : 10_000),
    scaling: fields.value('rope_scaling'),
  };
}

function build(g: GraphBuilder, config: GteConfig, inputs: PackedInputs): Value {
  let x = embed(g, config, inputs);
  const tables = rotaryTables(g, 'all', gteFrequencies(config.rope), inputs);
  for (let layer = 0; layer < config.layers; layer++)
    x = encode(g, config, { inputs, tables }, x, `encoder.layer.${layer}`);
  return x;
}

function gteFrequencies(rope: RopeConfig): RotaryFrequencies {
  const scaling = rope.scaling;
  if (scaling === undefined || scaling === null) return rotaryFrequencies(rope);
  const fields = new ConfigFields(scaling, 'rope_scaling of config.json');
  const kind = fields.optionalText('type') ?? fields.optionalText('rope_type');
  if (kind !== 'ntk') return rotaryFrequencies(rope);
  const inverseFrequencies = ntkFrequencies(rope, fields.positive('factor'), fields.optionalPositive('mixed_b'));
  return { inverseFrequencies, attentionScale: 1 };
}

/**
 * Fixed and mixed NTK scaling (https://kexue.fm/archives/9706) for a factor f and heads of d columns: fixed is
 * `(theta f)^(-2j / d) / f^(2 / d)`; mixed keeps theta and divides frequency j by `exp(a (j + 1)^b)` with
 * `a = ln f / (d / 2)^b`. A factor up to 1 scales nothing.
 */
export function ntkFrequencies(
  { theta, size }: Pick<RopeConfig, 'theta' | 'size'>,
  factor: number,
  mixedB?: number,
): readonly number[] {
  if (factor <= 1) return frequencies({ theta, size });
  if (mixedB === undefined)
    return frequencies({ theta: theta * factor, size }).map((frequency) => frequency / factor ** (2 / size));
  const a = Math.log(factor) / (size / 2) ** mixedB;
  return frequencies({ theta, size }).map((frequency, j) => frequency / Math.exp(a * (j + 1) ** mixedB));
}

/** `LN(word[id] + type[0])` */
function embed(
  g: GraphBuilder,
  { vocabulary, tokenTypes, hidden: size, epsilon }: GteConfig,
  inputs: PackedInputs,
): Value {
  const words = embedding(g, 'embeddings.word_embeddings', inputs.inputIds, { rows: vocabulary, size });
  const norm = { size, epsilon };
  if (tokenTypes === 0) return layerNorm(g, 'embeddings.LayerNorm', words, norm);
  const type = embedding(g, 'embeddings.token_type_embeddings', g.index(0), { rows: tokenTypes, size });
  const sum = g.scope('embeddings', () => g.op('Add', [words, type]));
  return layerNorm(g, 'embeddings.LayerNorm', sum, norm);
}

/** `x = LN(x + Wo attention(x))`, then `x = LN(x + Wdown (Wup x * act(Wgate x)))` */
function encode(
  g: GraphBuilder,
  config: GteConfig,
  { inputs, tables }: { readonly inputs: PackedInputs; readonly tables: RotaryTables },
  x: Value,
  path: string,
): Value {
  const { hidden, heads, intermediate, activation, epsilon } = config;
  const norm = norms[config.norm];
  const self = `${path}.attention`;
  const ofHeads = { heads, size: hidden / heads };
  const [q, k, v] = project(g, self, x, hidden);
  const turned = [q!, k!].map((rows) => rotary(g, self, rows, { ...ofHeads, tables }));
  const context = attention(g, self, [turned[0]!, turned[1]!, v!], ofHeads, inputs);
  const attended = linear(g, `${self}.o_proj`, context, { inputs: hidden, outputs: hidden });
  const sum = g.scope(self, () => g.op('Add', [attended, x]));
  const y = norm(g, `${path}.attn_ln`, sum, { size: hidden, epsilon });

  const sizes = { inputs: hidden, outputs: intermediate, parts: 2, bias: false };
  const [up, gate] = fusedLinear(g, `${path}.mlp.up_gate_proj`, y, sizes);
  const wide = g.scope(`${path}.mlp`, () => g.op('Mul', [up, activations[activation](g, gate!)]));
  const narrow = linear(g, `${path}.mlp.down_proj`, wide, { inputs: intermediate, outputs: hidden });
  const total = g.scope(`${path}.mlp`, () => g.op('Add', [narrow, y]));
  return norm(g, `${path}.mlp_ln`, total, { size: hidden, epsilon });
}

function project(g: GraphBuilder, self: string, x: Value, hidden: number): readonly Value[] {
  const square = { inputs: hidden, outputs: hidden };
  if (g.hasWeight(`${self}.qkv_proj.weight`)) return fusedLinear(g, `${self}.qkv_proj`, x, { ...square, parts: 3 });
  return ['q', 'k', 'v'].map((name) => linear(g, `${self}.${name}_proj`, x, square));
}
