import { answerError, type Asked } from './answer-error.ts';
import { parseContentRange } from './content-range.ts';
import type { HubAnswer, HubConnection } from './hub-connection.ts';
import { HubError } from './hub-error.ts';
import { fileUrl, type HubFile } from './hub-file.ts';
import type { PartialFile } from './partial-file.ts';

export interface TransferOptions {
  readonly hub: HubConnection;
  /** Its revision is the commit. */
  readonly asked: Required<Asked>;
  readonly signal: AbortSignal;
  /** Called before anything is written. @throws where the file is no longer ours */
  readonly assertOurs: () => void;
  /** Called with what the partial file holds after each change. */
  readonly onSize: (sizeBytes: number) => void;
}

/**
 * One request for what is missing of a file. Returns when all of it is there; what arrived before an error stays.
 * @throws HubError
 */
export async function transfer(file: HubFile, partial: PartialFile, options: TransferOptions): Promise<void> {
  const { hub, asked, signal, assertOurs, onSize } = options;
  const restart = async (): Promise<void> => {
    assertOurs();
    await partial.restart();
    onSize(0);
  };
  if (partial.sizeBytes > file.sizeBytes) await restart();
  if (partial.sizeBytes === file.sizeBytes) return;
  const start = partial.sizeBytes;
  const url = fileUrl(hub.endpoint, asked);
  const answer = await hub.request({ url, signal, ...(start > 0 ? { headers: { range: `bytes=${start}-` } } : {}) });
  let skip: number;
  try {
    skip = bytesToSkip(answer, { start, file });
  } catch (error) {
    answer.discard();
    if (answer.status === 416) await restart();
    throw error instanceof NoContentError ? answerError(answer, hub, asked) : error;
  }
  for await (const chunk of answer.body) {
    assertOurs();
    const bytes = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - bytes.length;
    if (bytes.length === 0) continue;
    if (partial.sizeBytes + bytes.length > file.sizeBytes) {
      await restart(); // it was another file
      throw unexpected(answer, `at most ${file.sizeBytes} bytes of ${file.path}, got more`);
    }
    await partial.append(bytes);
    onSize(partial.sizeBytes);
  }
  if (partial.sizeBytes < file.sizeBytes)
    throw unexpected(answer, `${file.sizeBytes} bytes of ${file.path}, got ${partial.sizeBytes}`);
}

class NoContentError extends Error {}

/** How much of the body is on disk already. @throws HubError, NoContentError where the body is not the file's */
function bytesToSkip(answer: HubAnswer, { start, file }: { readonly start: number; readonly file: HubFile }): number {
  const { status, header } = answer;
  if (header('content-encoding') !== undefined && header('content-encoding') !== 'identity')
    throw unexpected(answer, `${file.path} as it is, got it compressed; a proxy may do that`);
  if (status === 206) {
    const range = parseContentRange(header('content-range'));
    if (range?.start === start && (range.total ?? file.sizeBytes) === file.sizeBytes) return 0;
    throw unexpected(answer, `bytes ${start} to ${file.sizeBytes} of ${file.path}, got another range`);
  }
  if (status === 416) throw unexpected(answer, `the rest of ${file.path} from byte ${start}, got status 416`);
  if (status !== 200) throw new NoContentError();
  const length = header('content-length');
  if (length !== undefined && Number(length) !== file.sizeBytes)
    throw unexpected(answer, `${file.sizeBytes} bytes of ${file.path}, got ${length}`);
  return start; // something on the way ignores ranges and sends the file from its beginning
}

/** Such answers come from a proxy or cache in trouble; the next may be right. */
function unexpected({ host }: HubAnswer, what: string): HubError {
  return new HubError('bad_answer', `Expected ${host} to send ${what}. Check the proxy, then try again.`, {
    isTransient: true,
  });
}
