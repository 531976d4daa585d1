import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { anyone, type Caller } from '../access/caller.ts';
import { ServiceError } from '../errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key came with the request; `anyone` where none was asked for. */
    caller: Caller;
  }
}

/** Everybody, until a key says who. */
export function registerCaller(app: FastifyInstance): void {
  app.decorateRequest('caller');
  app.addHook('onRequest', (request, _reply, done) => {
    request.caller = anyone;
    done();
  });
}

/** A hook that lets requests with one of `keys` pass; undefined where there are no keys: the server is open. */
export function createAuth(keys: readonly string[]): onRequestHookHandler | undefined {
  if (keys.length === 0) return undefined;
  const digests = keys.map(digest); // the keys themselves are not kept
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => {
    if (sentKeys(request).some((key) => isKnown(digest(key), digests))) return done();
    void reply.header('www-authenticate', 'Bearer');
    done(new ServiceError('invalid_api_key'));
  };
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** OpenAI clients send a Bearer token, Azure ones `api-key`. */
function sentKeys({ headers }: FastifyRequest): readonly string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const azure = headers['api-key'];
  return [bearer, azure].filter((key) => typeof key === 'string');
}

/** Looks at every digest whatever matches, so time tells nothing. */
function isKnown(sent: Buffer, digests: readonly Buffer[]): boolean {
  let known = false;
  for (const one of digests) known = timingSafeEqual(one, sent) || known;
  return known;
}
