import { join } from 'node:path';

/** Where the standard Hugging Face cache, which Python shares, keeps one repository. */
export interface RepositoryCache {
  /** `<cache>/models--org--name` */
  readonly root: string;
  /** The contents of files, named by their ETag: the SHA-256 of large files, the git object id of others. */
  readonly blobs: string;
  /** One folder a commit, in which links with the names of the repository point at blobs. */
  readonly snapshots: string;
  /** One file a branch or tag, which holds its commit. */
  readonly refs: string;
  /** Weights that this service has made from the checkpoint; Python knows nothing of it. */
  readonly quantized: string;
  /** Locks of blobs on their way; outside `root`, as Python has them. */
  readonly locks: string;
}

export function repositoryCache(hfHubCache: string, repository: string): RepositoryCache {
  const name = repositoryFolderName(repository);
  const root = join(hfHubCache, name);
  return {
    root,
    blobs: join(root, 'blobs'),
    snapshots: join(root, 'snapshots'),
    refs: join(root, 'refs'),
    quantized: join(root, 'quantized'),
    locks: join(hfHubCache, '.locks', name),
  };
}

/** `models--org--name` */
export function repositoryFolderName(repository: string): string {
  return `models--${repository.replaceAll('/', '--')}`;
}

/** What the link of a file in a snapshot says: the way to its blob. */
export function linkTarget(path: string, blob: string): string {
  return `${'../'.repeat(path.split('/').length + 1)}blobs/${blob}`;
}

/** Whether this is a full commit id, which names a snapshot. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
