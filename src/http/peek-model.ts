/**
 * The `model` of a request whose JSON is not parsed: the first field of that name near the beginning or the end of the
 * body, where clients put it. A guess that is only good for refusing early: quotes within texts are escaped, so no text
 * is taken for it, but a field of the same name further inside may be.
 */
export function peekModel(body: Buffer): string | undefined {
  const found = field.exec(body.toString('latin1', 0, span)) ?? field.exec(body.toString('latin1', body.length - span));
  return found?.[1];
}

const span = 512;
const field = /"model"\s*:\s*"([^"\\]{1,256})"/;
