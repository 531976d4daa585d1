import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { ActivationName } from '../graph/layers/activation.ts';
import { activations } from '../graph/layers/activation.ts';
import { attention } from '../graph/layers/attention.ts';
import { layerNorm } from '../graph/layers/layer-norm.ts';
import { type Adapter, lowRankEmbedding, lowRankLinear } from '../graph/layers/low-rank.ts';
import type { RotaryTables } from '../graph/layers/rotary.ts';
import { rotary, rotaryTables } from '../graph/layers/rotary.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFields } from './config-fields.ts';
import { parseActivation } from './parse-activation.ts';
import { pairedSize, readRope, type RopeConfig, rotaryFrequencies } from './rope.ts';

/**
 * jina-embeddings-v3 (Sturua et al. 2024): XLM-RoBERTa with rotary positions and one LoRA adapter a task.
 * - Post-norm, no final norm; token types are always 0. `mixer.Wqkv` is queries, keys and values, in this order.
 * - Weights are stored as torch parametrizations: `X.parametrizations.weight.original` is `X.weight`, and
 *   `X.parametrizations.weight.0.lora_A` and `lora_B` hold the adapters of all tasks, in the order of
 *   `lora_adaptations`. Every linear layer and embedding has them; norms and biases do not.
 * - Without a task no adapter is applied, as the model's own `forward` does.
 * - The files made for transformers' own class (`model_type: "jina_embeddings_v3"`) have plain names and no adapters.
 */
export const jinaEmbeddingsV3: Architecture<JinaV3Config> = {
  about: {
    unusual: 'rotary positions; LoRA adapters, applied where a task asks',
    examples: ['jinaai/jina-embeddings-v3'],
  },
  prefixes: ['roberta.'],
  canonicalName: (name) => name.replace(/\.parametrizations\.weight\.(original$|0\.(?=lora_[AB]$))/, storedAs),
  unused: /\.lora_[AB]$/,
  matches: (_config, tensors) => tensors.has('encoder.layers.0.mixer.Wqkv.weight'),
  parseConfig,
  describe: (config) => ({
    hidden: config.hidden,
    layers: config.layers,
    vocabulary: config.vocabulary,
    maxTokens: config.rope.maxPositions,
    positions: { first: 0 },
  }),
  tasks: (config) => config.adapters.names,
  build,
};

function storedAs(_match: string, part: string): string {
  return part === 'original' ? '.weight' : '.';
}

interface JinaV3Config {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
  readonly tokenTypes: number;
  readonly activation: ActivationName;
  readonly epsilon: number;
  readonly rope: RopeConfig;
  readonly adapters: { readonly names: readonly string[]; readonly rank: number; readonly scale: number };
}

function parseConfig(json: unknown): JinaV3Config {
  const fields = new ConfigFields(json);
  fields.fixed('position_embedding_type', 'rotary');
  const hidden = fields.integer('hidden_size');
  const heads = fields.divisor('num_attention_heads', 'hidden_size', hidden);
  const size = pairedSize(hidden / heads);
  const theta = fields.optionalPositive('rotary_emb_base') ?? 20_000; // what the published model has
  return {
    hidden,
    layers: fields.integer('num_hidden_layers'),
    heads,
    intermediate: fields.integer('intermediate_size'),
    vocabulary: fields.integer('vocab_size'),
    tokenTypes: fields.integer('type_vocab_size', { fallback: 1 }),
    activation: parseActivation(fields, 'hidden_act', 'gelu'),
    epsilon: fields.positive('layer_norm_eps', 1e-5),
    rope: readRope(fields, { size, maxPositions: fields.integer('max_position_embeddings'), theta }),
    adapters: readAdapters(fields),
  };
}

function readAdapters(fields: ConfigFields): JinaV3Config['adapters'] {
  const names = fields.choice('lora_adaptations', isNameList, 'a list of different names', []);
  if (names.length === 0) return { names, rank: 0, scale: 0 };
  const rank = fields.integer('lora_rank', { fallback: 4 });
  return { names, rank, scale: fields.positive('lora_alpha', 1) / rank };
}

function isNameList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.every((name) => typeof name === 'string') && new Set(value).size === value.length
  );
}

function build(g: GraphBuilder, config: JinaV3Config, inputs: PackedInputs, task?: string): Value {
  const adapter = task === undefined ? undefined : adapterOf(config, task);
  let x = embed(g, config, inputs, adapter);
  const tables = rotaryTables(g, 'all', rotaryFrequencies(config.rope), inputs);
  for (let layer = 0; layer < config.layers; layer++)
    x = encode(g, config, { inputs, tables, adapter }, x, `encoder.layers.${layer}`);
  return x;
}

function adapterOf({ adapters: { names, rank, scale } }: JinaV3Config, task: string): Adapter {
  const index = names.indexOf(task);
  if (index < 0) throw new Error(`Expected the task to be one of ${names.join(', ')}, got ${task}. This is a bug.`);
  return { count: names.length, index, rank, scale };
}

/** `LN(word[id] + type[0])` */
function embed(
  g: GraphBuilder,
  { vocabulary, tokenTypes, hidden: size, epsilon }: JinaV3Config,
  inputs: PackedInputs,
  adapter: Adapter | undefined,
): Value {
  const table = (path: string, ids: Value, rows: number) => lowRankEmbedding(g, path, ids, { rows, size }, adapter);
  const words = table('embeddings.word_embeddings', inputs.inputIds, vocabulary);
  const type = table('embeddings.token_type_embeddings', g.int64(0), tokenTypes);
  const sum = g.scope('embeddings', () => g.op('Add', [words, type]));
  return layerNorm(g, 'emb_ln', sum, { size, epsilon });
}

interface Shared {
  readonly inputs: PackedInputs;
  readonly tables: RotaryTables;
  readonly adapter: Adapter | undefined;
}

/** `x = LN1(x + Wo attention(x))`, then `x = LN2(x + W2 act(W1 x))` */
function encode(
  g: GraphBuilder,
  { hidden, heads, intermediate, activation, epsilon }: JinaV3Config,
  { inputs, tables, adapter }: Shared,
  x: Value,
  path: string,
): Value {
  const norm = { size: hidden, epsilon };
  const mixer = `${path}.mixer`;
  const ofHeads = { heads, size: hidden / heads };
  const [q, k, v] = [0, 1, 2].map((index) => {
    const part = { from: index * hidden, rows: hidden };
    return lowRankLinear(g, `${mixer}.Wqkv`, x, { inputs: hidden, outputs: 3 * hidden, part }, adapter);
  });
  const turned = [q!, k!].map((rows) => rotary(g, mixer, rows, { ...ofHeads, tables }));
  const context = attention(g, mixer, [turned[0]!, turned[1]!, v!], ofHeads, inputs);
  const attended = lowRankLinear(g, `${mixer}.out_proj`, context, { inputs: hidden, outputs: hidden }, adapter);
  const sum = g.scope(mixer, () => g.op('Add', [attended, x]));
  const y = layerNorm(g, `${path}.norm1`, sum, norm);

  const wide = lowRankLinear(g, `${path}.mlp.fc1`, y, { inputs: hidden, outputs: intermediate }, adapter);
  const active = g.scope(`${path}.mlp`, () => activations[activation](g, wide));
  const narrow = lowRankLinear(g, `${path}.mlp.fc2`, active, { inputs: intermediate, outputs: hidden }, adapter);
  const total = g.scope(`${path}.mlp`, () => g.op('Add', [narrow, y]));
  return layerNorm(g, `${path}.norm2`, total, norm);
}
