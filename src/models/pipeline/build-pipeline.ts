import type { GraphBuilder, Value } from '../../graph/builder.ts';
import { layerNorm } from '../../graph/layers/layer-norm.ts';
import { linear } from '../../graph/layers/linear.ts';
import { normalize } from '../../graph/layers/normalize.ts';
import { pool } from '../../graph/layers/pooling.ts';
import type { PackedInputs } from '../../graph/packed-inputs.ts';
import { declarePoolingSkips } from '../../graph/packed-inputs.ts';
import { denseActivations } from './dense-activations.ts';
import type { Pipeline, Step } from './pipeline.ts';

const epsilon = 1e-5; // torch.nn.LayerNorm, whose default the LayerNorm module takes

/** hidden: `[tokens, hidden]` -> unit vectors `[batch, dimensions]`. Equations: sentence_transformers 6.2, its modules. */
export function buildPipeline(g: GraphBuilder, pipeline: Pipeline, hidden: Value, inputs: PackedInputs): Value {
  const { tokenSteps, pooling, steps, dimensions, isTruncated } = pipeline;
  const tokens = applySteps(g, tokenSteps, hidden);
  const skips = pooling.includePrompt ? undefined : declarePoolingSkips(g);
  const pooled = pool(g, pooling.modes, tokens, { ...inputs, skips });
  const vectors = applySteps(g, steps, pooled);
  return normalize(g, isTruncated ? firstColumns(g, vectors, dimensions) : vectors);
}

function applySteps(g: GraphBuilder, steps: readonly Step[], x: Value): Value {
  return steps.reduce((value, step) => applyStep(g, step, value), x);
}

function applyStep(g: GraphBuilder, step: Step, x: Value): Value {
  switch (step.kind) {
    case 'dense': {
      const { path, inputs, outputs, bias, activation, isResidual } = step;
      const wide = linear(g, `${path}.linear`, x, { inputs, outputs, bias });
      const active = g.scope(path, () => denseActivations[activation](g, wide));
      if (!isResidual) return active;
      const residual = inputs === outputs ? x : linear(g, `${path}.residual`, x, { inputs, outputs, bias: false });
      return g.scope(path, () => g.op('Add', [active, residual]));
    }
    case 'layer-norm':
      return layerNorm(g, `${step.path}.norm`, x, { size: step.size, epsilon });
    case 'normalize':
      return normalize(g, x);
    default:
      return step satisfies never;
  }
}

function firstColumns(g: GraphBuilder, x: Value, count: number): Value {
  return g.scope('truncate', () => g.op('Slice', [x, g.int64(0), g.int64(count), g.int64(1)]));
}
