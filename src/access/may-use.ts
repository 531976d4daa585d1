import type { Caller } from './caller.ts';

/** Whether a model, by the name that clients call it, is one of the caller's. */
export function mayUse({ models }: Caller, model: string): boolean {
  return models === undefined || models.some((pattern) => matches(pattern, model));
}

/** `*` stands for any characters, slashes too. Each part is looked for once, from the left, so time is linear. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
