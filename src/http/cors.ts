import { fastifyCors } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Answers preflights before any key is asked for, and lets pages of `origins` read our headers. */
export async function registerCors(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  await app.register(fastifyCors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'OPTIONS'],
    // No list of allowed headers: what the browser asks for is allowed, so any openai-* and x-stainless-* header of an
    // SDK passes. No cookies are used, so this gives a page nothing it could not send otherwise.
    exposedHeaders,
    maxAge: 86_400,
    strictPreflight: false,
  });
}

const exposedHeaders = [
  'x-request-id',
  'openai-processing-ms',
  'openai-version',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-embeddings-model',
  'x-embeddings-truncated',
  'x-embeddings-truncated-count',
  'x-ratelimit-limit-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
];
