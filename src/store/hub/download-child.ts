import type { DownloadTask, FromChild, ToChild } from './download-messages.ts';
import { downloadModel } from './download-model.ts';
import { HubError } from './hub-error.ts';
import { nameWork } from '../../util/name-work.ts';

// The process of `downloadInChild`: downloads one model, says how far it is, and ends.
const abort = new AbortController();
let requestIds: readonly string[] = [];
nameWork(process, () => requestIds);
process.on('message', (message: ToChild) => {
  if (message.kind === 'stop') abort.abort();
  else void run(message).then((answer) => process.send?.(answer, () => process.disconnect()));
});
process.on('disconnect', () => abort.abort()); // whoever wanted the model has gone, or has its answer

async function run(task: DownloadTask): Promise<FromChild> {
  const { repository, hub, token, revision, hfHubCache, locked, requestId } = task;
  requestIds = requestId === undefined ? [] : [requestId];
  try {
    const located = await downloadModel(repository, {
      revision,
      hfHubCache,
      locked,
      hub: { ...hub, readToken: () => token },
      onProgress: (progress) => process.send?.({ kind: 'progress', progress } satisfies FromChild),
      signal: abort.signal,
    });
    return { kind: 'done', located };
  } catch (error) {
    return abort.signal.aborted ? { kind: 'stopped' } : toFailure(error);
  }
}

function toFailure(error: unknown): FromChild {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof HubError)) return { kind: 'failed', message };
  const { kind, isTransient, retryAfterSeconds } = error;
  const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return { kind: 'failed', message, hub: { kind, isTransient, ...wait } };
}
