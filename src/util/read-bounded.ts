import { readFileSync, statSync } from 'node:fs';

/** Of one settings file; parsed, a hostile one takes many times its size. */
const maxSettingsBytes = 10_000_000;

/**
 * The bytes of a file whose contents are not trusted, so that what is not the size of its kind is refused before it is
 * read. A pipe would wait for its writer, and a device may never end.
 * @throws Error naming the file, or the error of the system where there is none
 */
export function readBounded(file: string, maxBytes = maxSettingsBytes): Buffer {
  const stat = statSync(file);
  if (!stat.isFile() && !stat.isDirectory())
    throw new Error(`Expected a file ${file}, found a pipe, socket or device. Put the model's own file there.`);
  if (stat.size > maxBytes && stat.isFile())
    throw new Error(`Expected at most ${maxBytes} bytes of ${file}, got ${stat.size}. Download the file again.`);
  return readFileSync(file); // of a folder the system says what it is
}
