import type { PoolingMode } from '../../graph/layers/pooling.ts';
import type { DenseActivation } from './dense-activations.ts';

/** What follows the last hidden state: how token vectors become the vector of a text. */
export interface Pipeline {
  /** Steps on each token vector, before pooling. */
  readonly tokenSteps: readonly Step[];
  readonly pooling: Pooling;
  /** Steps on the pooled vector. L2 normalisation always comes last and is not among them. */
  readonly steps: readonly Step[];
  /** Numbers in a vector. */
  readonly dimensions: number;
  /** Whether the last step gives more of them, which `truncate_dim` of the model's files cuts off. */
  readonly isTruncated: boolean;
}

export interface Pooling {
  /** Their vectors are joined in this order. */
  readonly modes: readonly [PoolingMode, ...PoolingMode[]];
  /** Whether the tokens of a prompt take part. */
  readonly includePrompt: boolean;
}

export type Step =
  /** `act(x W^T + b)`, plus the input (projected where the sizes differ) when `isResidual`. */
  | {
      readonly kind: 'dense';
      /** Folder of its weights below the model's own. */
      readonly path: string;
      readonly inputs: number;
      readonly outputs: number;
      readonly bias: boolean;
      readonly activation: DenseActivation;
      readonly isResidual: boolean;
    }
  | { readonly kind: 'layer-norm'; readonly path: string; readonly size: number }
  | { readonly kind: 'normalize' };

/** One pooling and nothing else. */
export function plainPipeline(mode: PoolingMode, hidden: number): Pipeline {
  const pooling: Pooling = { modes: [mode], includePrompt: true };
  return { tokenSteps: [], pooling, steps: [], dimensions: hidden, isTruncated: false };
}

/** `cls+mean` */
export function describePooling({ modes }: Pooling): string {
  return modes.join('+');
}
