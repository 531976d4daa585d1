/** Runs up to `depth` tasks at once and gives their results in the order of the items. */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  { depth, run }: { readonly depth: number; readonly run: (item: T) => Promise<R> },
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  for await (const item of items) {
    const task = run(item);
    task.catch(() => {}); // the loop awaits it later and throws then; until that moment it must not count as unhandled
    running.push(task);
    if (running.length >= depth) yield await takeFirst(running);
  }
  while (running.length > 0) yield await takeFirst(running);
}

function takeFirst<R>(running: Promise<R>[]): Promise<R> {
  const first = running.shift();
  if (first === undefined) throw new Error('Expected a running task, got none. This is a bug.');
  return first;
}
