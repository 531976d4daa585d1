export interface ToThread {
  readonly call: number;
  readonly texts: readonly string[];
}

export type FromThread =
  | { readonly kind: 'ready'; readonly before: number; readonly after: number }
  /** It must be alone in its process. */
  | { readonly kind: 'unusual'; readonly what: string }
  | { readonly kind: 'encoded'; readonly call: number; readonly rows: readonly Int32Array<ArrayBuffer>[] }
  | { readonly kind: 'failed'; readonly call: number; readonly message: string };
