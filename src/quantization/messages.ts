import type { Derivation } from '../graph/derivation.ts';
import type { TensorView } from '../store/safetensors.ts';

/** What the processes that make tensors are sent. */
export type ToWriter =
  | {
      readonly kind: 'open';
      readonly file: string;
      /** Where each tensor lies in it. */
      readonly tensors: ReadonlyMap<string, TensorView>;
      /** Of the request that wanted the model first. */
      readonly requestId?: string | undefined;
    }
  | { readonly kind: 'derive'; readonly derivation: Derivation };

/** What they answer to each derivation. */
export type FromWriter = { readonly kind: 'derived' } | WriteFailure;

export interface WriteFailure {
  readonly kind: 'failed';
  readonly reason: string;
  /** Of the file system, such as ENOSPC. */
  readonly code: string | undefined;
  readonly syscall: string | undefined;
}
