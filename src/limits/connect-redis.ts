import type { Redis } from 'ioredis';

export interface RedisConnection {
  readonly client: Redis;
  close(): void;
}

export interface RedisLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const answerMs = 500; // a request does not wait longer for its count: it is then counted in memory
const longestRetryMs = 5000;

/** Connects, and again whenever the connection is lost. Says once that it is away, and once that it is back. */
export async function connectRedis(url: string, log: RedisLog): Promise<RedisConnection> {
  const { Redis: Client } = await import('ioredis'); // most servers do without it
  const client = new Client(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: answerMs,
    connectTimeout: 4 * answerMs,
    retryStrategy: (tries) => Math.min(longestRetryMs, tries * 200),
  });
  let isAway = false;
  let isClosed = false;
  const onAway = (reason: string): void => {
    if (isAway || isClosed) return;
    isAway = true;
    log.warn({ reason }, 'Redis is away; limits are counted in memory, by each server alone');
  };
  client.on('error', (error: NodeJS.ErrnoException) => onAway(error.code ?? error.name));
  client.on('close', () => onAway('the connection was closed'));
  client.on('ready', () => {
    if (isAway) log.info({}, 'Redis is back; limits are counted there');
    isAway = false;
  });
  return {
    client,
    close: () => {
      isClosed = true;
      client.disconnect();
    },
  };
}
