import type { WatchedFiles, WatchLog } from '../../src/util/followed-files.ts';

/** Files in memory, a clock moved by hand, a log, and a folder watch that can be deaf: what `FollowedFiles` works on. */
export function createFakeFiles(initial: Readonly<Record<string, string>>, { watchFails = false } = {}) {
  const texts = new Map(Object.entries(initial));
  let version = 0;
  let now = 0;
  const listeners = new Map<string, () => void>();
  let tasks: { at: number; run: () => void }[] = [];
  const lines: string[] = [];
  const toLine = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log: WatchLog & { warn: WatchLog['info'] } = {
    info: toLine('info'),
    warn: toLine('warn'),
    error: toLine('error'),
  };
  const read = (path: string): string => {
    const text = texts.get(path);
    if (text === undefined) throw new Error('ENOENT');
    return text;
  };
  const files: WatchedFiles = {
    read,
    fingerprint: (path) => `${read(path).length}:${version}`,
    watch: (folder, listener) => {
      if (watchFails) throw new Error('ENOSPC');
      listeners.set(folder, listener);
      return { close: () => void listeners.delete(folder) };
    },
  };
  const clock = {
    after: (ms: number, run: () => void) => {
      const task = { at: now + ms, run };
      tasks.push(task);
      return () => void (tasks = tasks.filter((each) => each !== task));
    },
  };
  const advance = (ms: number): void => {
    for (const end = now + ms; ;) {
      const next = tasks.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      now = next?.at ?? end;
      if (next === undefined) return;
      tasks = tasks.filter((each) => each !== next);
      next.run();
    }
  };
  const touch = (folder: string): void => listeners.get(folder)?.();
  const write = (path: string, text: string | undefined, { isSeen = true } = {}): void => {
    if (text === undefined) texts.delete(path);
    else texts.set(path, text);
    version++;
    if (isSeen) touch(path.slice(0, path.lastIndexOf('/')));
  };
  return {
    files,
    clock,
    log,
    lines,
    write,
    advance,
    touch,
    pending: () => tasks.length,
    watched: () => [...listeners.keys()],
  };
}
