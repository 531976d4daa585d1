/** Whether this is a Hugging Face id, `name` or `org/name`: safe as part of a path and of an address. */
export function isRepositoryId(text: string): boolean {
  const parts = text.split('/');
  return parts.length <= 2 && parts.every(isIdPart) && !text.endsWith('.git');
}

/** Whether this is a branch, tag or commit, such as `main` or `refs/pr/3`; never a path that leaves its folder. */
export function isRevision(text: string): boolean {
  return text.length <= 200 && text.split('/').every((part) => /^\w[\w.+-]*$/.test(part) && !part.includes('..'));
}

/** Whether this is the path of a file in a repository; never one that leaves its folder. */
export function isRepositoryFile(text: string): boolean {
  const isName = (part: string) => /^[^\\\p{Cc}]{1,255}$/u.test(part) && part !== '.' && part !== '..';
  return text.length <= 1000 && text.split('/').every(isName);
}

/** The hub's own rule: 1 to 96 letters, digits, `-`, `_` and `.`, a word character at both ends, no `--` and no `..`. */
function isIdPart(part: string): boolean {
  return /^\w([\w.-]{0,94}\w)?$/.test(part) && !part.includes('--') && !part.includes('..');
}
