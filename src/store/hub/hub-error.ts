/** STUB, replaced at merge. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly kind: string = 'stub';
  readonly retryAfterSeconds?: number;
  readonly isTransient: boolean = false;
}
