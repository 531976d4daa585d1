import type { ConfigFields } from './config-fields.ts';

/** What a layer of a model with several kinds of attention sees: everything, or a window. */
export const layerTypes = ['full_attention', 'sliding_attention'] as const;
export type LayerType = (typeof layerTypes)[number];

/**
 * `layer_types` of newer files, one word a layer; `isSliding` is the rule of older ones.
 * @throws ConfigFieldError for another number of words than layers, or another word
 */
export function readLayerTypes(
  fields: ConfigFields,
  layers: number,
  isSliding: (layer: number) => boolean,
): readonly LayerType[] {
  const isListOfAll = (value: unknown): value is readonly LayerType[] =>
    Array.isArray(value) && value.length === layers && value.every((type) => layerTypes.includes(type));
  const expected = `a list of ${layers} of ${layerTypes.join(', ')}`;
  if (fields.has('layer_types')) return fields.choice('layer_types', isListOfAll, expected);
  return Array.from({ length: layers }, (_, layer) => (isSliding(layer) ? 'sliding_attention' : 'full_attention'));
}

/**
 * `sliding_window`, undefined where it is null: a token sees keys with `|i - j| < window`. Where tokens see both ways,
 * transformers counts one key more.
 */
export function readWindow(
  fields: ConfigFields,
  { isCausal, fallback }: { readonly isCausal: boolean; readonly fallback: number },
): number | undefined {
  if (fields.value('sliding_window') === null) return undefined;
  return fields.integer('sliding_window', { fallback }) + (isCausal ? 0 : 1);
}

/** The windows of Qwen: where `use_sliding_window` says so, in the layers from `max_window_layers` on. */
export function readUpperWindows(
  fields: ConfigFields,
  { layers, isCausal }: { readonly layers: number; readonly isCausal: boolean },
): readonly (number | undefined)[] {
  const hasWindows = fields.boolean('use_sliding_window', false);
  const window = hasWindows ? readWindow(fields, { isCausal, fallback: 4096 }) : undefined;
  const first = fields.integer('max_window_layers', { fallback: 28, min: 0 });
  const types = readLayerTypes(fields, layers, (layer) => layer >= first);
  return types.map((type) => (type === 'sliding_attention' ? window : undefined));
}
