import type { PositionRule } from '../graph/packed-inputs.ts';
import type { Provider } from '../graph/passes/all.ts';
import type { Batch } from '../scheduler/batch.ts';

/** What the server sends a runner process. Typed arrays travel by structured clone. */
export type ToRunner =
  | {
      readonly kind: 'load';
      readonly model: Uint8Array;
      readonly weightsFolder: string;
      readonly threads: number;
      readonly provider: Provider;
      readonly positions: PositionRule;
    }
  | ({ readonly kind: 'run'; readonly id: number } & Batch);

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
