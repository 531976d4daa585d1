import { blobNameKind } from '../blob-name.ts';
import { isRecord, isSize } from '../check-json.ts';
import { isCommit } from '../hub-cache.ts';
import { isRepositoryFile } from '../repository-id.ts';
import { answerError, type Asked } from './answer-error.ts';
import type { HubAnswer, HubConnection } from './hub-connection.ts';
import { HubError } from './hub-error.ts';

/** What one commit of a repository holds. */
export interface RepositoryListing {
  readonly commit: string;
  readonly files: readonly ListedFile[];
}

/** A file as the hub lists it; mirrors may leave out everything but the name. */
export interface ListedFile {
  /** Relative, of plain names. */
  readonly path: string;
  readonly sizeBytes: number | undefined;
  readonly etag: string | undefined;
}

const maxListingBytes = 64 * 1024 * 1024; // the largest repositories list 100,000 files

/** @throws HubError */
export async function fetchListing(hub: HubConnection, asked: Asked, signal: AbortSignal): Promise<RepositoryListing> {
  const { repository, revision } = asked;
  const url = `${hub.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const answer = await hub.request({ url, signal });
  if (answer.status !== 200) {
    answer.discard();
    throw answerError(answer, hub, asked);
  }
  return parseListing(await readJson(answer), answer.host);
}

/** Checks the hub's untrusted JSON. @throws HubError */
export function parseListing(json: unknown, host: string): RepositoryListing {
  const { sha, siblings } = isRecord(json) ? json : {};
  if (typeof sha !== 'string' || !isCommit(sha) || !Array.isArray(siblings))
    throw new HubError(
      'bad_answer',
      `Expected ${host} to answer with a commit and a list of files, got something else. Check that HF_ENDPOINT is a Hugging Face hub.`,
    );
  // A name that could leave the folder is left out: nothing that is looked for has one.
  return { commit: sha, files: siblings.filter(isSibling).map((entry) => toListedFile(entry, host)) };
}

interface Sibling extends Readonly<Record<string, unknown>> {
  readonly rfilename: string;
}

function isSibling(entry: unknown): entry is Sibling {
  return isRecord(entry) && typeof entry['rfilename'] === 'string' && isRepositoryFile(entry['rfilename']);
}

/** Large files are named by their SHA-256; what the blob id names there is only a pointer. */
function toListedFile({ rfilename, size, blobId, lfs }: Sibling, host: string): ListedFile {
  const large = isRecord(lfs) ? lfs : undefined;
  const etag = large === undefined ? blobId : large['sha256'];
  const sizeBytes = large?.['size'] ?? size;
  if (sizeBytes !== undefined && sizeBytes !== null && !isSize(sizeBytes))
    throw new HubError('bad_answer', `Expected ${host} to give the size of ${rfilename} in bytes, got something else.`);
  const isHash = typeof etag === 'string' && blobNameKind(etag) === (large === undefined ? 'git' : 'sha256');
  return { path: rfilename, sizeBytes: isSize(sizeBytes) ? sizeBytes : undefined, etag: isHash ? etag : undefined };
}

async function readJson({ body, host }: HubAnswer): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxListingBytes)
      throw new HubError('bad_answer', `Expected at most ${maxListingBytes} bytes as the list of files of ${host}.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    // Cut short somewhere on the way, or a page of a proxy: another try may get the whole.
    throw new HubError(
      'bad_answer',
      `Expected JSON from ${host}, got something else. Check HF_ENDPOINT and the proxy.`,
      {
        isTransient: true,
      },
    );
  }
}
