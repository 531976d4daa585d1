import type { GraphBuilder, Value } from '../graph/builder.ts';
import { activations } from '../graph/layers/activation.ts';
import { embedding } from '../graph/layers/embedding.ts';
import { linear } from '../graph/layers/linear.ts';
import { headRmsNorm, rmsNorm } from '../graph/layers/rms-norm.ts';
import { rotary, type RotaryTables, rotaryTables } from '../graph/layers/rotary.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import type { DecoderConfig } from './decoder-config.ts';
import { type AttendLayer, windowedAttention } from './windowed-attention.ts';

/**
 * The Llama stack (Touvron et al. 2023), which Qwen, Mistral and EuroBERT share but for switches of `DecoderConfig`:
 * RMSNorm before each sublayer and after the last layer, rotary positions, keys shared by heads, a gated MLP.
 */
export function buildDecoder(g: GraphBuilder, config: DecoderConfig, inputs: PackedInputs): Value {
  const { hidden, vocabulary, heads, keyHeads, headSize, epsilon } = config;
  const tables = rotaryTables(g, 'all', config.rope, inputs);
  const attend = windowedAttention(g, inputs, { ...config, heads: { heads, keyHeads, size: headSize } });
  let x = embedding(g, 'embed_tokens', inputs.inputIds, { rows: vocabulary, size: hidden });
  for (const [layer, window] of config.windows.entries()) {
    const path = `layers.${layer}`;
    x = attendTokens(g, config, x, { path, window, tables, attend });
    x = feedForward(g, config, x, path);
  }
  const normed = rmsNorm(g, 'norm', x, { size: hidden, epsilon });
  if (config.projection === undefined) return normed;
  return linear(g, 'linear', normed, { inputs: hidden, outputs: config.projection, bias: false });
}

interface LayerParts {
  readonly path: string;
  readonly window: number | undefined;
  readonly tables: RotaryTables;
  readonly attend: AttendLayer;
}

/** `x + Wo attention(rope(Wq h), rope(Wk h), Wv h)` with `h = RMS(x)` */
function attendTokens(
  g: GraphBuilder,
  { hidden, heads, keyHeads, headSize: size, epsilon, bias, hasHeadNorms }: DecoderConfig,
  x: Value,
  { path, window, tables, attend }: LayerParts,
): Value {
  const attn = `${path}.self_attn`;
  const normed = rmsNorm(g, `${path}.input_layernorm`, x, { size: hidden, epsilon });
  const project = (name: string, count: number) =>
    linear(g, `${attn}.${name}_proj`, normed, { inputs: hidden, outputs: count * size, bias: bias.qkv });
  const turned = (name: string, count: number) => {
    const projected = project(name, count);
    const scaled = hasHeadNorms
      ? headRmsNorm(g, `${attn}.${name}_norm`, projected, { heads: count, size, epsilon })
      : projected;
    return rotary(g, `${attn}.${name}_rotary`, scaled, { heads: count, size, tables });
  };
  const context = attend(attn, [turned('q', heads), turned('k', keyHeads), project('v', keyHeads)], window);
  const sizes = { inputs: heads * size, outputs: hidden, bias: bias.output };
  const attended = linear(g, `${attn}.o_proj`, context, sizes);
  return g.scope(attn, () => g.op('Add', [x, attended]));
}

/** `x + Wdown (act(Wgate h) * Wup h)` with `h = RMS(x)` */
function feedForward(
  g: GraphBuilder,
  { hidden, intermediate, activation, epsilon, bias }: DecoderConfig,
  x: Value,
  path: string,
): Value {
  const mlp = `${path}.mlp`;
  const wide = { inputs: hidden, outputs: intermediate, bias: bias.mlp };
  const normed = rmsNorm(g, `${path}.post_attention_layernorm`, x, { size: hidden, epsilon });
  const gate = linear(g, `${mlp}.gate_proj`, normed, wide);
  const up = linear(g, `${mlp}.up_proj`, normed, wide);
  const gated = g.scope(mlp, () => g.op('Mul', [activations[activation](g, gate), up]));
  const narrow = linear(g, `${mlp}.down_proj`, gated, { inputs: intermediate, outputs: hidden, bias: bias.mlp });
  return g.scope(mlp, () => g.op('Add', [x, narrow]));
}
