import type { Engine } from './engine.ts';

/** An engine that can be away for a while: the scheduler hands it work only when it is ready. */
export interface Replica extends Engine {
  /**
   * Resolves when the replica can take a batch, again after each crash.
   * @throws ServiceError once it has given up
   */
  ready(): Promise<void>;
}
