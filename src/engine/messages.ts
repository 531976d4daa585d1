import type { Graph } from '../graph/graph.ts';
import type { PositionRule } from '../graph/packed-inputs.ts';
import type { Provider } from '../graph/passes/all.ts';
import type { Batch } from '../scheduler/batch.ts';

/** What the server sends a runner process. It travels by structured clone. */
export type ToRunner =
  | {
      readonly kind: 'load';
      /** Plain data; the runner writes it as ONNX, so that the server never stands still for that. */
      readonly graph: Graph;
      readonly weightsFolder: string;
      readonly threads: number;
      /** Whether what depends on weights alone is computed once, such as 16-bit weights in float32; true when absent. */
      readonly foldsConstants?: boolean;
      readonly provider: Provider;
      readonly positions: PositionRule;
    }
  | ({ readonly kind: 'run'; readonly id: number } & Batch); // its request ids too

/** What a runner process answers. */
export type FromRunner =
  | { readonly kind: 'loaded' }
  | { readonly kind: 'load-failed'; readonly reason: string }
  | {
      readonly kind: 'ran';
      readonly id: number;
      readonly data: Float32Array;
      readonly rows: number;
      readonly dim: number;
      readonly runMs: number;
    }
  | { readonly kind: 'run-failed'; readonly id: number; readonly reason: string };
