/**
 * The runner process: holds one loaded graph and runs batches one at a time. It knows no HTTP, no texts and no
 * tokens of access. It ends when the server goes away.
 */
import { serialize } from '../graph/serialize.ts';
import { lowerPriority } from '../util/lower-priority.ts';
import { nameWork } from '../util/name-work.ts';
import type { FromRunner, ToRunner } from './messages.ts';
import { Session } from './session.ts';

let session: Session | undefined;
let requestIds: readonly string[] = []; // of the batch that runs

nameWork(process, () => requestIds);
lowerPriority(5); // the server's short work goes first: 5 % more short queries a second

// A Ctrl-C reaches the whole process group; the server decides when a runner stops.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToRunner) => {
  void handle(message).then(send);
});

async function handle(message: ToRunner): Promise<FromRunner> {
  switch (message.kind) {
    case 'load':
      try {
        session = await Session.load({ ...message, model: serialize(message.graph) });
        return { kind: 'loaded' };
      } catch (error) {
        return { kind: 'load-failed', reason: reasonOf(error) };
      }
    case 'run':
      try {
        if (session === undefined) throw new Error('A batch came before the model. This is a bug.');
        requestIds = message.requestIds ?? [];
        const started = performance.now();
        const vectors = await session.embed(message);
        return { kind: 'ran', id: message.id, ...vectors, runMs: performance.now() - started };
      } catch (error) {
        return { kind: 'run-failed', id: message.id, reason: reasonOf(error) };
      } finally {
        requestIds = [];
      }
    default:
      return message satisfies never;
  }
}

function send(message: FromRunner): void {
  process.send?.(message);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
