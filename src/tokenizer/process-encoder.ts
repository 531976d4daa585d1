import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ServiceError } from '../errors.ts';
import { keptEnvironment } from '../util/kept-environment.ts';
import { startTimer } from '../util/start-timer.ts';
import { withResolvers, type PromiseWithResolvers } from '../util/with-resolvers.ts';
import type { FromThread, ToThread } from './encoder-messages.ts';
import type { Encoder, EncoderOptions } from './encoder.ts';
import { watchMemory } from './watch-memory.ts';

export interface ProcessLimits {
  readonly loadMs: number;
  /** Of one call; a text of a million characters takes 0.7 s. */
  readonly callMs: number;
  readonly memoryBytes: number;
}

const usualLimits: ProcessLimits = { loadMs: 60_000, callMs: 30_000, memoryBytes: 2_000_000_000 };

/**
 * Holds a tokenizer in a process of its own, which a text may end or hold up: only the calls under way fail then, and
 * the next call starts another. Costs 54 MB, and 0.2 ms a call.
 * @throws Error as `openNativeEncoder` does; its calls fail with ServiceError `runner_crashed`
 */
export async function openProcessEncoder(options: EncoderOptions, limits = usualLimits): Promise<Encoder> {
  let isClosed = false;
  let live = new EncoderProcess(options, limits);
  const { before, after } = await live.ready;
  return {
    before,
    after,
    encode: async (texts) => {
      if (isClosed) throw new Error('The process of the tokenizer has ended.');
      if (live.isGone) live = new EncoderProcess(options, limits);
      await live.ready;
      return live.encode(texts);
    },
    close: () => {
      isClosed = true;
      live.end('was closed');
    },
  };
}

type Sides = Pick<Encoder, 'before' | 'after'>;

interface Call extends PromiseWithResolvers<readonly Int32Array[]> {
  readonly cancelTimer: () => void;
}

class EncoderProcess {
  readonly #options: EncoderOptions;
  readonly #limits: ProcessLimits;
  readonly #child: ChildProcess;
  readonly #ready = withResolvers<Sides>();
  readonly #calls = new Map<number, Call>();
  readonly #cancelLoadTimer: () => void;
  readonly #stopWatching: () => void;
  #isReady = false;
  #isGone = false;
  #last = 0;

  constructor(options: EncoderOptions, limits: ProcessLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#child = fork(fileURLToPath(new URL('encoder-process.js', import.meta.url)), [], {
      serialization: 'advanced',
      env: keptEnvironment('PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG'),
      execArgv: ['--max-old-space-size=1500'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'], // what the library says when it gives up may hold parts of texts
    });
    this.#cancelLoadTimer = startTimer(limits.loadMs, () => this.end(`took more than ${limits.loadMs / 1000} s`));
    this.#stopWatching = watchMemory(this.#child.pid, limits.memoryBytes, () =>
      this.end(`took more than ${limits.memoryBytes / 1e6} MB`),
    );
    this.#child.on('message', (message: FromThread) => this.#onMessage(message)); // it sends nothing else
    this.#child.on('error', (error) => this.end(`could not start: ${error.message}`));
    this.#child.on('exit', (code, signal) => this.end(signal === null ? `ended with ${code}` : `ended by ${signal}`));
    this.#send(options);
  }

  /** @throws Error of the load */
  get ready(): Promise<Sides> {
    return this.#ready.promise;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  encode(texts: readonly string[]): Promise<readonly Int32Array[]> {
    const call = ++this.#last;
    const { callMs } = this.#limits;
    const cancelTimer = startTimer(callMs, () => this.end(`took more than ${callMs / 1000} s for one text`));
    const pending: Call = { ...withResolvers<readonly Int32Array[]>(), cancelTimer };
    this.#calls.set(call, pending);
    this.#keepAlive(true);
    this.#send({ call, texts });
    return pending.promise;
  }

  /** Fails everything under way; `how` follows "the process of its tokenizer". */
  end(how: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#cancelLoadTimer();
    this.#stopWatching();
    this.#child.kill('SIGKILL');
    const { folder, model = folder } = this.#options;
    const reason = `the process of its tokenizer ${how}`;
    this.#ready.reject(new Error(`Expected a tokenizer in ${folder} that can be loaded: ${reason}.`)); // without effect once it was
    for (const call of this.#calls.keys())
      this.#settle(call)?.reject(new ServiceError('runner_crashed', { model, reason, retryAfterSeconds: 1 }));
  }

  #onMessage(message: FromThread): void {
    switch (message.kind) {
      case 'ready':
        this.#isReady = true;
        this.#cancelLoadTimer();
        if (this.#calls.size === 0) this.#keepAlive(false);
        this.#ready.resolve(message);
        return;
      case 'encoded':
        this.#settle(message.call)?.resolve(message.rows);
        return;
      case 'failed':
        if (!this.#isReady) {
          this.#ready.reject(new Error(message.message));
          this.end('could not load');
        } else this.#settle(message.call)?.reject(new Error(message.message));
        return;
      case 'unusual': // it is alone
        return;
      default:
        message satisfies never;
    }
  }

  #settle(call: number): Call | undefined {
    const found = this.#calls.get(call);
    found?.cancelTimer();
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#keepAlive(false);
    return found;
  }

  /** An idle tokenizer keeps no process alive. */
  #keepAlive(isNeeded: boolean): void {
    for (const handle of [this.#child, this.#child.channel])
      if (isNeeded) handle?.ref();
      else handle?.unref();
  }

  #send(message: EncoderOptions | ToThread): void {
    this.#child.send(message, () => {}); // a failed send is followed by `exit`
  }
}
