import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { FakeFile, FakeRepository } from './fake-repository.ts';

/** What goes wrong with one answer; several at once may. */
export interface Fault {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection ends after so many bytes of the body; 0: before the headers. */
  readonly cutAfterBytes?: number;
  /** Nothing more comes after so many bytes of the body; 0: not even headers. */
  readonly hangAfterBytes?: number;
  /** The body comes in pieces with a pause before each. */
  readonly slow?: { readonly pieceBytes: number; readonly pauseMs: number };
  /** The byte at this place of the file is another. */
  readonly wrongByteAt?: number;
  readonly ignoreRange?: boolean;
  /** Content-Range says a start so much later. */
  readonly shiftRange?: number;
  /** Content-Range says a total so much larger. */
  readonly shiftTotal?: number;
  /** The body is so much longer than the file, and no Content-Length says so. */
  readonly extraBytes?: number;
  readonly redirectTo?: string;
  /** Of the list of files only so many characters come, as if that were all. */
  readonly truncateJson?: number;
}

export interface FaultRule {
  readonly fault: Fault;
  readonly method?: string;
  /** Part of the path, such as the name of a file. */
  readonly path?: string;
  readonly host?: 'hub' | 'cdn';
  /** How often it happens; once when absent. */
  readonly times?: number;
}

export interface RecordedRequest {
  readonly host: 'hub' | 'cdn';
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface FakeHub {
  /** For HF_ENDPOINT. */
  readonly endpoint: string;
  /** The second host, which large files come from. */
  readonly cdn: string;
  readonly requests: readonly RecordedRequest[];
  /** The first rule that matches a request and is not used up is applied to it. */
  readonly addFault: (rule: FaultRule) => void;
  readonly forgetRequests: () => void;
  readonly close: () => Promise<void>;
}

export interface FakeHubOptions {
  readonly repositories: readonly FakeRepository[];
  /** Old ids with the present ones. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Called before a request is answered. */
  readonly onRequest?: (request: RecordedRequest) => void;
}

/** A hub on loopback: the list of files, the files, and a second host for large ones, with faults at will. */
export async function startFakeHub({
  repositories,
  renamed = {},
  onRequest = () => {},
}: FakeHubOptions): Promise<FakeHub> {
  const requests: RecordedRequest[] = [];
  const rules: { rule: FaultRule; left: number }[] = [];
  const byId = new Map(repositories.map((repository) => [repository.id, repository]));
  const large = new Map(repositories.flatMap(({ files }) => [...files.values()].map((file) => [file.etag, file])));

  const listen = (host: 'hub' | 'cdn', answer: (request: IncomingMessage, response: FaultyResponse) => Promise<void>) =>
    startServer(async (request, response) => {
      const { method = '', url = '' } = request;
      const recorded = { host, method, path: url, headers: request.headers };
      requests.push(recorded);
      onRequest(recorded);
      const found = rules.find(
        ({ rule, left }) =>
          left > 0 &&
          url.includes(rule.path ?? '') &&
          (rule.host ?? host) === host &&
          (rule.method ?? method) === method,
      );
      if (found !== undefined) found.left--;
      await answer(request, new FaultyResponse(request, response, found?.rule.fault ?? {}));
    });

  const cdn = await listen('cdn', async (request, response) => {
    const file = large.get(pathOf(request).slice(1));
    await (file === undefined ? response.send(404, {}) : response.sendFile(file.content, {}));
  });
  const cdnUrl = urlOf(cdn);
  const hub = await listen('hub', async (request, response) => {
    const [, api, repositoryId = '', kind, rest = ''] =
      /^\/(api\/models\/)?([^/]+\/[^/]+)\/(revision|tree|resolve)\/(.*)$/.exec(pathOf(request)) ?? [];
    const newId = renamed[repositoryId];
    if (newId !== undefined) return response.send(307, { location: (request.url ?? '').replace(repositoryId, newId) });
    const repository = byId.get(repositoryId);
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (repository === undefined || (repository.privateFor ?? token) !== token)
      return response.send(api === undefined ? 404 : 401, { 'x-error-code': 'RepoNotFound' });
    const [revision = '', ...names] = rest.split('/').map(decodeURIComponent);
    if (revision !== repository.commit && !repository.refs.includes(revision))
      return response.send(404, { 'x-error-code': 'RevisionNotFound' });
    if (kind === 'revision') return response.sendJson(describe(repository));
    if (kind === 'tree') return response.sendJson(tree(repository));
    if ((repository.gatedFor ?? token) !== token)
      return response.send(token === undefined ? 401 : 403, { 'x-error-code': 'GatedRepo' });
    const file = repository.files.get(names.join('/'));
    const commit = { 'x-repo-commit': repository.commit };
    if (file === undefined) return response.send(404, { ...commit, 'x-error-code': 'EntryNotFound' });
    if (!file.isLarge) return response.sendFile(file.content, { ...commit, etag: `"${file.etag}"` });
    return response.send(302, {
      ...commit,
      'x-linked-etag': `"${file.etag}"`,
      'x-linked-size': String(file.content.length),
      location: `${cdnUrl}/${file.etag}?X-Signature=do-not-tell`,
    });
  });

  return {
    endpoint: urlOf(hub),
    cdn: cdnUrl,
    requests,
    addFault: (rule) => void rules.push({ rule, left: rule.times ?? 1 }),
    forgetRequests: () => void requests.splice(0),
    close: async () => {
      await Promise.all([stop(hub), stop(cdn)]);
    },
  };
}

/** An answer that a fault may spoil. */
class FaultyResponse {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #fault: Fault;

  constructor(request: IncomingMessage, response: ServerResponse, fault: Fault) {
    this.#request = request;
    this.#response = response;
    this.#fault = fault;
  }

  async sendJson(value: unknown): Promise<void> {
    const text = JSON.stringify(value).slice(0, this.#fault.truncateJson);
    await this.send(200, { 'content-type': 'application/json' }, Buffer.from(text));
  }

  async sendFile(content: Buffer, headers: Readonly<Record<string, string>>): Promise<void> {
    const { wrongByteAt, ignoreRange, shiftRange = 0, shiftTotal = 0, extraBytes = 0 } = this.#fault;
    const body = Buffer.concat([content, Buffer.alloc(extraBytes, 'x')]);
    if (wrongByteAt !== undefined) body[wrongByteAt] = ~(body[wrongByteAt] ?? 0);
    const start = /^bytes=(\d+)-$/.exec(ignoreRange === true ? '' : (this.#request.headers.range ?? ''))?.[1];
    const all = { ...headers, 'accept-ranges': 'bytes' };
    const sized = (bytes: Buffer) => (extraBytes > 0 ? {} : { 'content-length': String(bytes.length) });
    if (start === undefined) return this.send(200, { ...all, ...sized(body) }, body);
    if (Number(start) >= content.length) return this.send(416, { 'content-range': `bytes */${content.length}` });
    const part = body.subarray(Number(start));
    const range = `bytes ${Number(start) + shiftRange}-${content.length - 1 + shiftRange}/${content.length + shiftTotal}`;
    return this.send(206, { ...all, ...sized(part), 'content-range': range }, part);
  }

  async send(status: number, headers: Readonly<Record<string, string>>, body: Buffer = Buffer.alloc(0)): Promise<void> {
    const { cutAfterBytes, hangAfterBytes, slow, redirectTo } = this.#fault;
    if (cutAfterBytes === 0) return void this.#request.socket.destroy();
    if (hangAfterBytes === 0) return; // until the server is closed
    if (redirectTo !== undefined) {
      this.#response.writeHead(302, { location: redirectTo }).end();
      return;
    }
    const spoilt = this.#fault.status;
    this.#response.writeHead(
      spoilt ?? status,
      spoilt === undefined ? { ...headers, ...this.#fault.headers } : this.#fault.headers,
    );
    this.#response.flushHeaders();
    if (this.#request.method === 'HEAD' || spoilt !== undefined) return void this.#response.end();
    const sent = body.subarray(0, cutAfterBytes ?? hangAfterBytes);
    for (let at = 0; at < sent.length;) {
      const piece = sent.subarray(at, at + (slow?.pieceBytes ?? 1024 * 1024));
      if (slow !== undefined) await setTimeout(slow.pauseMs);
      await write(this.#response, piece);
      at += piece.length;
    }
    if (cutAfterBytes !== undefined) this.#request.socket.destroy();
    else if (hangAfterBytes === undefined) this.#response.end();
  }
}

/** Returns when the bytes have gone, or nobody wants them any more. */
async function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.write(bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

function describe({ id, commit, files, listing = 'full', listedSizes = {} }: FakeRepository): unknown {
  const siblings = [...files].map(([rfilename, file]) =>
    listing === 'names'
      ? { rfilename }
      : {
          rfilename,
          size: listedSizes[rfilename] ?? file.content.length,
          blobId: blobIdOf(file),
          ...lfsOf(file, 'sha256'),
        },
  );
  return {
    _id: '0',
    id,
    modelId: id,
    sha: commit,
    private: false,
    gated: false,
    tags: [],
    downloads: 0,
    likes: 0,
    siblings,
  };
}

/** What Python asks for before it downloads a snapshot. */
function tree({ files }: FakeRepository): unknown {
  return [...files].map(([path, file]) => ({
    type: 'file',
    path,
    size: file.content.length,
    oid: blobIdOf(file),
    ...lfsOf(file, 'oid'),
  }));
}

/** Of a large file the id of its pointer, which is no hash of its contents. */
function blobIdOf({ isLarge, etag }: FakeFile): string {
  return isLarge ? etag.slice(0, 40) : etag;
}

function lfsOf({ isLarge, etag, content }: FakeFile, hashName: 'sha256' | 'oid'): object {
  return isLarge ? { lfs: { [hashName]: etag, size: content.length, pointerSize: 134 } } : {};
}

async function startServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on TCP
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?')[0] ?? '';
}
