import { isSize } from '../check-json.ts';
import { answerError, type Asked } from './answer-error.ts';
import type { HubAnswer, HubConnection } from './hub-connection.ts';
import { HubError } from './hub-error.ts';
import type { ListedFile } from './repository-listing.ts';

/** A file to be fetched. */
export interface HubFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Names its blob: the SHA-256 of large files, the git object id of others; of some mirrors any plain name. */
  readonly etag: string;
}

/** Where the contents of a file are, held to one commit. */
export function fileUrl(endpoint: string, { repository, revision, file }: Required<Asked>): string {
  return `${endpoint}/${repository}/resolve/${revision}/${file.split('/').map(encodeURIComponent).join('/')}`;
}

/** Completes what the list says about a file; a mirror whose list holds only names is asked for each. @throws HubError */
export async function describeFile(
  hub: HubConnection,
  listed: ListedFile,
  { asked, signal }: { readonly asked: Required<Asked>; readonly signal: AbortSignal },
): Promise<HubFile> {
  const { path, sizeBytes, etag } = listed;
  if (sizeBytes !== undefined && etag !== undefined) return { path, sizeBytes, etag };
  const ask = async (method: 'HEAD' | 'GET') => {
    const answer = await hub.request({
      url: fileUrl(hub.endpoint, asked),
      method,
      signal,
      // The server of large files has ETags of its own; the hub's redirect to it says the true one.
      isEnough: ({ header }) => header('x-linked-etag') !== undefined,
    });
    answer.discard(); // the headers say it
    return answer;
  };
  let answer = await ask('HEAD');
  if (answer.status === 405 || answer.status === 501) answer = await ask('GET'); // a mirror that knows no HEAD
  const isLinked = answer.header('x-linked-etag') !== undefined;
  if (answer.status >= 400 || (answer.status >= 300 && !isLinked)) throw answerError(answer, hub, asked);
  return { path, ...parseFileHeaders(answer) };
}

/** As Python's library reads them. @throws HubError */
export function parseFileHeaders({ header, host }: Pick<HubAnswer, 'header' | 'host'>): Omit<HubFile, 'path'> {
  const linked = header('x-linked-etag');
  const etag = (linked ?? header('etag'))?.replace(/^W\//, '').replace(/^"|"$/g, '');
  const size = header('x-linked-size') ?? (linked === undefined ? header('content-length') : undefined);
  const sizeBytes = size !== undefined && /^\d{1,16}$/.test(size) ? Number(size) : undefined;
  // It becomes the name of a file.
  if (etag === undefined || !/^\w[\w.-]{0,127}$/.test(etag) || etag.endsWith('.incomplete') || !isSize(sizeBytes))
    throw new HubError(
      'bad_answer',
      `Expected ${host} to give the ETag and the size of a file, got neither or others. Check that HF_ENDPOINT is a Hugging Face hub or a full mirror.`,
    );
  return { etag, sizeBytes };
}
