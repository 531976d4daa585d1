import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { windowSeconds, type LimitKind, type LimitStore, type Take } from './limit-store.ts';
import type { RedisConnection } from './connect-redis.ts';

/** Counts in the memory of this process; with Redis those of all servers that use it, and in memory while it is away. */
export function openStore(redis?: RedisConnection): LimitStore {
  // One limiter of the library has one limit; callers may have limits of their own.
  const limiters = new Map<string, RateLimiterAbstract>();
  const limiterOf = (kind: LimitKind, limit: number): RateLimiterAbstract => {
    const name = `${kind} ${limit}`;
    let limiter = limiters.get(name);
    if (limiter === undefined) {
      limiter = createLimiter(kind, limit, redis);
      limiters.set(name, limiter);
    }
    return limiter;
  };
  return {
    take: async (take) => {
      const limiter = limiterOf(take.kind, take.limit);
      try {
        const { consumedPoints, msBeforeNext } = await limiter.consume(take.key, take.amount);
        return { isTaken: true, used: consumedPoints, resetMs: msBeforeNext };
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        await limiter.reward(take.key, take.amount); // the library counts what it refuses too
        return { isTaken: false, used: error.consumedPoints - take.amount, resetMs: error.msBeforeNext };
      }
    },
    peek: async ({ kind, key, limit }) => {
      const found = await limiterOf(kind, limit).get(key);
      return found === null ? { used: 0, resetMs: 0 } : { used: found.consumedPoints, resetMs: found.msBeforeNext };
    },
    giveBack: async ({ kind, key, amount, limit }: Take) => {
      await limiterOf(kind, limit).reward(key, amount);
    },
    close: () => redis?.close(),
  };
}

function createLimiter(kind: LimitKind, points: number, redis: RedisConnection | undefined): RateLimiterAbstract {
  const options = { keyPrefix: `embeddings:${kind}`, points, duration: windowSeconds };
  const memory = new RateLimiterMemory(options);
  if (redis === undefined) return memory;
  return new RateLimiterRedis({ ...options, storeClient: redis.client, insuranceLimiter: memory });
}
