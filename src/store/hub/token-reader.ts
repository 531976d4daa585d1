import { readFileSync } from 'node:fs';

export interface TokenSources {
  /** HF_TOKEN; the file counts only where it is not set. */
  readonly hfToken: string | undefined;
  /** The file that `hf auth login` writes; may be missing. */
  readonly hfTokenPath: string;
}

/** Reads the access token each time it is asked for, so that a new one needs no restart. */
export function createTokenReader({ hfToken, hfTokenPath }: TokenSources): () => string | undefined {
  return () => nonEmpty(hfToken) ?? nonEmpty(readIfThere(hfTokenPath));
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // missing or unreadable: the hub is asked without a token, and says so where it wants one
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  const token = text?.trim();
  return token === '' ? undefined : token;
}
