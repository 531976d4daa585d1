import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify';
import { anyone, type Caller } from '../access/caller.ts';
import type { Keys } from '../access/key-ring.ts';
import type { PublicGroup } from '../config.ts';
import { ServiceError, type ErrorCode } from '../errors.ts';
import type { HttpDeps } from './http-deps.ts';

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

/**
 * Gives the plugins of groups of routes: those of a group that is not public ask for a key where there are keys. What
 * `keys` names is never public.
 */
export function createGuards({ keys, config }: Pick<HttpDeps, 'keys' | 'config'>) {
  return (group: PublicGroup | 'keys', register: (scope: FastifyInstance) => void | Promise<void>) =>
    async (scope: FastifyInstance): Promise<void> => {
      const isPublic = group !== 'keys' && config.publicRoutes.includes(group);
      if (keys !== undefined && !isPublic)
        scope.addHook('onRequest', createAuth(keys, group === 'docs' ? 'page_needs_key' : 'invalid_api_key'));
      await register(scope);
    };
}

/** A hook that lets requests with a key in force pass, as its caller; `withoutKey` is the answer to those that send none. */
function createAuth(keys: Keys, withoutKey: ErrorCode): onRequestHookHandler {
  return (request, reply, done) => {
    let code = withoutKey;
    for (const key of sentKeys(request)) {
      const found = keys.find(key);
      if ('caller' in found) {
        request.caller = found.caller;
        return done();
      }
      if (code !== 'expired_api_key') code = found.refused === 'expired' ? 'expired_api_key' : 'invalid_api_key';
    }
    void reply.header('www-authenticate', 'Bearer');
    done(new ServiceError(code));
  };
}

/** OpenAI clients send a Bearer token, Azure ones `api-key`. */
function sentKeys({ headers }: FastifyRequest): readonly string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const azure = headers['api-key'];
  return [bearer, azure].filter((key) => typeof key === 'string').filter((key) => key !== '');
}
