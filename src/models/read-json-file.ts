import { readBounded } from '../util/read-bounded.ts';
import { ConfigFieldError } from './config-fields.ts';

/** @throws ConfigFieldError naming the file that is not JSON */
export function readJsonFile(file: string): unknown {
  const text = readBounded(file).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigFieldError(`Expected JSON in ${file}.`, { cause });
  }
}
