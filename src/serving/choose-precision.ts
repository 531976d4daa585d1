import type { Config } from '../config.ts';
import type { Graph } from '../graph/graph.ts';
import type { Precision } from '../graph/precision.ts';
import type { Model } from '../models/open-model.ts';
import type { AllowlistEntry } from '../store/allowlist.ts';
import { findMainType } from './count-weights.ts';

export interface PrecisionQuestion {
  readonly entry: Pick<AllowlistEntry, 'dtype'>;
  readonly config: Pick<Config, 'bitsandbytes'>;
  readonly model: Pick<Model, 'tensors'>;
  readonly graph: Pick<Graph, 'format'>;
  /** Whether the model fits into memory in float32, its runs beside its weights. */
  readonly fits: boolean;
}

/** What the words of bitsandbytes mean here. */
const precisions = { '8bit': 'int8', '4bit': 'int4' } as const;

/**
 * The line of the allowlist decides, then the setting, and without either float32; 16-bit weights that would be too large
 * for memory so stay as they are stored, which gives the same numbers.
 * `problem` says why the precision asked for cannot be had.
 */
export function choosePrecision(question: PrecisionQuestion): {
  readonly precision: Precision;
  readonly problem?: string;
} {
  const { entry, config, model, graph, fits } = question;
  const stored = findMainType(model);
  const isHalf = stored === 'F16' || stored === 'BF16';
  const asked = entry.dtype ?? (config.bitsandbytes === undefined ? undefined : precisions[config.bitsandbytes]);
  const isOwn = graph.format === undefined;
  if (asked === undefined) return { precision: isHalf && isOwn && !fits ? 'float16' : 'float32' };
  if (asked !== 'float32' && !isOwn)
    return {
      precision: asked,
      problem: `dtype=${asked} is built for checkpoints, not for ONNX files; use dtype=float32`,
    };
  if (asked === 'float16' && !isHalf)
    return {
      precision: asked,
      problem: `dtype=float16 keeps weights that are stored in 16 bits as they are, and these are ${stored}; use dtype=float32 or int8`,
    };
  return { precision: asked };
}
