/** What a child process inherits: these variables where they are set, and nothing else, so no token and no key. */
export function keptEnvironment(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
