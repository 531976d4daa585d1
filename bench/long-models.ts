import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Random checkpoints of 12 layers, 768 wide, with a gated feed-forward of 3072: what long texts are mostly embedded with. */
export const longModels = ['nomic_bert', 'jina_bert'] as const;
export type LongModel = (typeof longModels)[number];

const [layers, hidden, intermediate, heads, vocabulary] = [12, 768, 3072, 12, 1000] as const;

/** The product that most of their work is. */
export const longShape = { rows: 256, inner: hidden, outer: intermediate } as const;

/** Work of a sequence: the linear layers, and `Q K^T` and `softmax V` over all pairs of tokens. */
export function flopOf(tokens: number): number {
  const linear = 2 * (4 * hidden * hidden + 3 * hidden * intermediate);
  return layers * tokens * (linear + 4 * tokens * hidden);
}

/** Writes config.json and model.safetensors; the numbers are the same each time. */
export function writeLongModel(folder: string, model: LongModel): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configs[model]));
  writeRandom(join(folder, 'model.safetensors'), shapes[model]());
}

const configs: Readonly<Record<LongModel, object>> = {
  nomic_bert: {
    model_type: 'nomic_bert',
    n_layer: layers,
    n_embd: hidden,
    n_head: heads,
    n_inner: intermediate,
    n_positions: 8192,
    vocab_size: vocabulary,
    type_vocab_size: 2,
    activation_function: 'swiglu',
    rotary_emb_base: 1000,
    rotary_emb_fraction: 1,
    layer_norm_epsilon: 1e-12,
    qkv_proj_bias: false,
    mlp_fc1_bias: false,
    mlp_fc2_bias: false,
    prenorm: false,
  },
  jina_bert: {
    model_type: 'bert',
    num_hidden_layers: layers,
    hidden_size: hidden,
    num_attention_heads: heads,
    intermediate_size: intermediate,
    max_position_embeddings: 8192,
    vocab_size: vocabulary,
    type_vocab_size: 2,
    position_embedding_type: 'alibi',
    feed_forward_type: 'geglu',
    layer_norm_eps: 1e-12,
  },
};

type Shapes = Record<string, readonly number[]>;

const shapes: Readonly<Record<LongModel, () => Shapes>> = {
  nomic_bert: () => {
    const all: Shapes = { ...tables(), ...norm('emb_ln') };
    for (let layer = 0; layer < layers; layer++) {
      const path = `encoder.layers.${layer}`;
      all[`${path}.attn.Wqkv.weight`] = [3 * hidden, hidden];
      all[`${path}.attn.out_proj.weight`] = [hidden, hidden];
      all[`${path}.mlp.fc11.weight`] = [intermediate, hidden];
      all[`${path}.mlp.fc12.weight`] = [intermediate, hidden];
      all[`${path}.mlp.fc2.weight`] = [hidden, intermediate];
      Object.assign(all, norm(`${path}.norm1`), norm(`${path}.norm2`));
    }
    return all;
  },
  jina_bert: () => {
    const all: Shapes = { ...tables(), ...norm('embeddings.LayerNorm') };
    for (let layer = 0; layer < layers; layer++) {
      const path = `encoder.layer.${layer}`;
      for (const part of ['self.query', 'self.key', 'self.value', 'output.dense'])
        Object.assign(all, linear(`${path}.attention.${part}`, hidden, hidden));
      all[`${path}.mlp.gated_layers.weight`] = [2 * intermediate, hidden];
      Object.assign(all, linear(`${path}.mlp.wo`, hidden, intermediate));
      Object.assign(all, norm(`${path}.attention.output.LayerNorm`), norm(`${path}.mlp.layernorm`));
    }
    return all;
  },
};

function tables(): Shapes {
  return {
    'embeddings.word_embeddings.weight': [vocabulary, hidden],
    'embeddings.token_type_embeddings.weight': [2, hidden],
  };
}

function linear(path: string, outputs: number, inputs: number): Shapes {
  return { [`${path}.weight`]: [outputs, inputs], [`${path}.bias`]: [outputs] };
}

function norm(path: string): Shapes {
  return { [`${path}.weight`]: [hidden], [`${path}.bias`]: [hidden] };
}

/** Matrices around 0 with the spread of trained ones, vectors around 1 where they scale. */
function writeRandom(file: string, all: Shapes): void {
  let end = 0;
  const entries = Object.entries(all).map(([name, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return { name, shape, count, range: [end, (end += 4 * count)] };
  });
  const header = JSON.stringify(
    Object.fromEntries(entries.map(({ name, shape, range }) => [name, { dtype: 'F32', shape, data_offsets: range }])),
  );
  const json = header.padEnd(Math.ceil((header.length + 8) / 8) * 8 - 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const descriptor = openSync(file, 'w');
  try {
    writeSync(descriptor, Buffer.concat([length, Buffer.from(json)]));
    let seed = 1;
    for (const { shape, count, name } of entries) {
      const center = shape.length === 1 && name.endsWith('.weight') ? 1 : 0;
      const scale = shape.length === 1 ? 0.1 : 0.07;
      const values = Float32Array.from({ length: count }, () => {
        seed = (seed * 16_807) % 2_147_483_647;
        return center + scale * (seed / 1_073_741_824 - 1);
      });
      writeSync(descriptor, new Uint8Array(values.buffer));
    }
  } finally {
    closeSync(descriptor);
  }
}
