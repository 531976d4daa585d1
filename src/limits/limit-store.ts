export type LimitKind = 'requests' | 'tokens';

/** One caller's count of one minute. */
export interface Window {
  readonly used: number;
  /** Until the count begins anew. */
  readonly resetMs: number;
}

export interface Take {
  readonly kind: LimitKind;
  readonly key: string;
  readonly amount: number;
  readonly limit: number;
}

/** Counts that may be shared by several servers. A minute of a key begins with the first take after the last one's end. */
export interface LimitStore {
  /** Adds to the count where it stays within the limit, else leaves it as it is. */
  take(take: Take): Promise<Window & { readonly isTaken: boolean }>;
  peek(take: Omit<Take, 'amount'>): Promise<Window>;
  giveBack(take: Take): Promise<void>;
  close(): void;
}

export const windowSeconds = 60;
