import { closeSync, copyFileSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface LargeShape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headSize: number;
  readonly intermediate: number;
  readonly vocabulary: number;
}

export const qwen3Embedding8b: LargeShape = {
  layers: 36,
  hidden: 4096,
  heads: 32,
  keyHeads: 8,
  headSize: 128,
  intermediate: 12_288,
  vocabulary: 151_665,
};

const shardBytes = 5e9; // as the hub's own files are cut

/**
 * Writes a Qwen3 checkpoint: config.json, a tokenizer.json from elsewhere, which any will do for, and shards in BF16 with
 * their index. The numbers are the same each time.
 */
export function writeLargeModel(folder: string, shape: LargeShape, tokenizer: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(toConfig(shape)));
  copyFileSync(tokenizer, join(folder, 'tokenizer.json'));
  const shards = cutIntoShards(listTensors(shape));
  const weightMap: Record<string, string> = {};
  for (const [index, tensors] of shards.entries()) {
    const number = [index + 1, shards.length].map((value) => String(value).padStart(5, '0')).join('-of-');
    const name = `model-${number}.safetensors`;
    writeShard(join(folder, name), tensors);
    for (const tensor of tensors) weightMap[tensor.name] = name;
  }
  const totalBytes = shards.flat().reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  const index = { metadata: { total_size: totalBytes }, weight_map: weightMap };
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
}

function toConfig(shape: LargeShape): object {
  return {
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    hidden_size: shape.hidden,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyHeads,
    head_dim: shape.headSize,
    intermediate_size: shape.intermediate,
    vocab_size: shape.vocabulary,
    max_position_embeddings: 40_960,
    max_window_layers: shape.layers,
    hidden_act: 'silu',
    rms_norm_eps: 1e-6,
    rope_theta: 1_000_000,
    attention_bias: false,
    use_sliding_window: false,
    torch_dtype: 'bfloat16',
  };
}

interface Tensor {
  readonly name: string;
  /** Of a matrix, which gets small numbers around 0, or of a norm, which gets ones. */
  readonly shape: readonly number[];
}

function listTensors({ layers, hidden, heads, keyHeads, headSize, intermediate, vocabulary }: LargeShape): Tensor[] {
  const norm = (name: string, size: number): Tensor => ({ name: `${name}.weight`, shape: [size] });
  const tensors: Tensor[] = [{ name: 'embed_tokens.weight', shape: [vocabulary, hidden] }];
  for (let layer = 0; layer < layers; layer++) {
    const path = `layers.${layer}`;
    const matrix = (name: string, outputs: number, inputs: number): Tensor => ({
      name: `${path}.${name}_proj.weight`,
      shape: [outputs, inputs],
    });
    tensors.push(
      norm(`${path}.input_layernorm`, hidden),
      matrix('self_attn.q', heads * headSize, hidden),
      matrix('self_attn.k', keyHeads * headSize, hidden),
      matrix('self_attn.v', keyHeads * headSize, hidden),
      matrix('self_attn.o', hidden, heads * headSize),
      norm(`${path}.self_attn.q_norm`, headSize),
      norm(`${path}.self_attn.k_norm`, headSize),
      norm(`${path}.post_attention_layernorm`, hidden),
      matrix('mlp.gate', intermediate, hidden),
      matrix('mlp.up', intermediate, hidden),
      matrix('mlp.down', hidden, intermediate),
    );
  }
  return [...tensors, norm('norm', hidden)];
}

function cutIntoShards(tensors: readonly Tensor[]): readonly (readonly Tensor[])[] {
  const shards: Tensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    room -= bytesOf(tensor);
    if (room < 0) {
      shards.push([]);
      room = shardBytes - bytesOf(tensor);
    }
    shards.at(-1)?.push(tensor);
  }
  return shards;
}

function writeShard(file: string, tensors: readonly Tensor[]): void {
  let end = 0;
  const placed = tensors.map((tensor) => ({ ...tensor, start: end, end: (end += bytesOf(tensor)) }));
  const entries = placed.map(({ name, shape, ...range }) => [
    name,
    { dtype: 'BF16', shape, data_offsets: [range.start, range.end] },
  ]);
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.alloc(Math.ceil((8 + json.length) / 64) * 64, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.write(json, 8);
  const descriptor = openSync(file, 'w');
  try {
    writeSync(descriptor, header);
    for (const [index, { shape, start, end: stop }] of placed.entries()) {
      const pattern = shape.length === 1 ? ones : random;
      let from = (index * step) % pattern.length;
      for (let at = start; at < stop; from = 0) {
        const count = Math.min(pattern.length - from, stop - at);
        writeSync(descriptor, pattern, from, count, header.length + at);
        at += count;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Repeated. The length is odd, so that no two rows of a matrix are alike, and each matrix begins elsewhere in it:
 * ONNX Runtime keeps packed weights that are equal only once.
 */
const random = toBfloat16(randomNumbers(4_194_301));
const step = 2 * 65_537;
const ones = toBfloat16(new Float32Array(4096).fill(1));

function randomNumbers(count: number): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: count }, () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return 0.03 * (seed / 1_073_741_824 - 1);
  });
}

/** The upper halves. */
function toBfloat16(values: Float32Array): Uint8Array {
  const words = new Uint16Array(values.buffer).filter((_, index) => index % 2 === 1); // little-endian
  return new Uint8Array(words.buffer);
}

function bytesOf({ shape }: Tensor): number {
  return 2 * shape.reduce((product, size) => product * size, 1);
}
