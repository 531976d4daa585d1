import { isRunning } from '../process-tree.ts';

/** The server under test, as its clients and its enemies see it. */
export interface Target {
  readonly url: string;
  readonly pid: number;
  readonly model: string;
  /** The allowlist that it follows. */
  readonly allowlist: string;
  /** Stops reading its log until the function it returns is called. */
  readonly stallLog: () => () => void;
}

export interface Reply {
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly body: string;
}

/** POST /v1/embeddings; throws when the connection breaks or the signal fires. */
export async function post(target: Target, body: string, signal: AbortSignal): Promise<Reply> {
  const response = await fetch(`${target.url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal,
  });
  const retryAfter = response.headers.get('retry-after');
  return {
    status: response.status,
    retryAfterSeconds: retryAfter === null ? undefined : Number(retryAfter),
    body: await response.text(),
  };
}

export async function runnerPids({ url }: Target): Promise<readonly number[]> {
  const response = await fetch(`${url}/info`, { signal: AbortSignal.timeout(10_000) });
  const { runner_pids: pids } = (await response.json()) as { runner_pids: readonly number[] };
  return pids.filter(isRunning);
}

/** Waits for a true value of `probe`; a probe that throws counts as false. Gives whether it came in time. */
export async function until(probe: () => Promise<boolean>, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (performance.now() < deadline) {
    if (await probe().catch(() => false)) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}
