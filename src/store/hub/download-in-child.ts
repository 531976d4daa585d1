import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { keptEnvironment } from '../../util/kept-environment.ts';
import type { LocatedModel } from '../locate-model.ts';
import type { FromChild, ToChild } from './download-messages.ts';
import type { DownloadOptions } from './download-model.ts';
import { HubError } from './hub-error.ts';

export interface ChildOptions extends DownloadOptions {
  /** Of the request that wants the model, if one does. */
  readonly requestId?: string | undefined;
}

/**
 * As `downloadModel`, in a process of its own: hashing gigabytes delays no request, and what the download took of memory
 * is the system's again when it ends.
 * @throws HubError, the signal's reason
 */
export function downloadInChild(repository: string, options: ChildOptions): Promise<LocatedModel> {
  const { hub, onProgress, signal, revision, hfHubCache, locked, requestId } = options;
  const { readToken, ...reached } = hub;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = fork(fileURLToPath(new URL('download-child.js', import.meta.url)), [], {
      serialization: 'advanced',
      // What programs and TLS need; the token comes in a message.
      env: keptEnvironment(
        'PATH',
        'HOME',
        'TMPDIR',
        'TZ',
        'LANG',
        'NODE_EXTRA_CA_CERTS',
        'SSL_CERT_FILE',
        'SSL_CERT_DIR',
      ),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const send = (message: ToChild) => child.send(message, () => {}); // a failed send is followed by `exit`
    const stop = () => send({ kind: 'stop' });
    signal?.addEventListener('abort', stop);
    const fail = (error: Error) => {
      signal?.removeEventListener('abort', stop);
      reject(error); // without effect where it is done
    };
    child.on('error', fail);
    child.on('exit', (code, killedBy) =>
      fail(new HubError('unreachable', `The process of the download ended (${killedBy ?? `exit code ${code}`}).`)),
    );
    child.on('message', (message: FromChild) => {
      switch (message.kind) {
        case 'progress':
          onProgress?.(message.progress);
          return;
        case 'done':
          resolve(message.located);
          return;
        case 'stopped':
          fail(signal?.reason instanceof Error ? signal.reason : new Error('The download was stopped.'));
          return;
        case 'failed':
          fail(toError(message));
          return;
        default:
          message satisfies never;
      }
    });
    const token = readToken();
    send({ kind: 'download', repository, revision, hfHubCache, locked, hub: reached, token, requestId });
  });
}

function toError({ message, hub }: Extract<FromChild, { kind: 'failed' }>): Error {
  return hub === undefined ? new Error(message) : new HubError(hub.kind, message, hub);
}
