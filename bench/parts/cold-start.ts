import { join } from 'node:path';
import type { Context } from '../context.ts';
import { fromRounds } from '../report.ts';
import { startServer } from '../server.ts';
import type { RunningServer } from '../server.ts';
import { median } from '../stats.ts';

/** From the start of the process to the first vector, files already in the page cache, by turns. */
export async function measureColdStart(context: Context): Promise<void> {
  const { report, quick } = context;
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round <= (quick ? 2 : 7); round++) {
    const times = [await timeStart(context.startOurServer()), await timeStart(startPythonService(context))] as const;
    if (round === 0) continue; // reads the files from disk
    ours.push(times[0]);
    theirs.push(times[1]);
  }
  const part = 'cold';
  report.add(
    fromRounds({ part, name: 'ours, start to first vector', unit: 's', goal: { kind: 'atMost', limit: 1 } }, ours),
  );
  report.add(fromRounds({ part, name: 'Python service, start to first vector', unit: 's' }, theirs));
  const goal = { kind: 'atLeast', limit: 8 } as const;
  report.add({ part, name: 'times faster to start', unit: 'x', value: median(theirs) / median(ours), goal });
}

async function timeStart(starting: Promise<RunningServer>): Promise<number> {
  const server = await starting;
  await server.close();
  return server.firstAnswerSeconds;
}

/** Nothing but http.server and sentence-transformers: less than any real Python service has. */
export function startPythonService({ python, root, scratch, model }: Context): Promise<RunningServer> {
  const { command, modelDir } = python();
  const args = (port: number): string[] => [join(root, 'bench/python_service.py'), modelDir, String(port)];
  return startServer({ command, args, model, logFile: join(scratch, 'python-service.log') });
}
