import { homedir } from 'node:os';
import { resolve } from 'node:path';

/** Reads the text of one setting. */
export interface Parser<T> {
  /** @throws Error whose message says what was expected */
  readonly parse: (text: string) => T;
  /** Stands for the value in `--help`; empty for a switch, which needs none. */
  readonly placeholder: string;
}

export function text(): Parser<string> {
  return { placeholder: 'text', parse: (value) => value };
}

export function path(): Parser<string> {
  return { placeholder: 'path', parse: (value) => resolve(value.replace(/^~(?=\/|$)/, homedir())) };
}

/** Commas alone are refused: as a list of keys they would open the server. */
export function list(): Parser<readonly string[]> {
  const parse = (value: string): readonly string[] => {
    const parts = value.split(',').map((part) => part.trim());
    const named = parts.filter((part) => part !== '');
    if (named.length === 0) throw new Error('expected at least one name');
    return named;
  };
  return { placeholder: 'list', parse };
}

/** `none` is the empty list, which an empty value, meaning "not set", cannot say. */
export function listOrNone(): Parser<readonly string[]> {
  return { placeholder: 'list', parse: (value) => (value.toLowerCase() === 'none' ? [] : list().parse(value)) };
}

/** A list of some of these names, or `none` of them. */
export function someOf<const T extends string>(...allowed: readonly T[]): Parser<readonly T[]> {
  const { parse: parseOne } = oneOf(...allowed);
  return { placeholder: 'list', parse: (value) => listOrNone().parse(value).map(parseOne) };
}

export function boolean(): Parser<boolean> {
  const parse = (value: string): boolean => {
    const lower = value.toLowerCase();
    if (['1', 'true', 'yes', 'y', 'on'].includes(lower)) return true;
    if (['0', 'false', 'no', 'n', 'off'].includes(lower)) return false;
    throw new Error('expected true or false');
  };
  return { placeholder: '', parse };
}

export function integer(min: number, max: number): Parser<number> {
  const parse = (value: string): number => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new Error(`expected a whole number from ${min} to ${max}`);
    return number;
  };
  return { placeholder: 'n', parse };
}

export function port(): Parser<number> {
  const number = integer(0, 65_535);
  const parse = (value: string): number => {
    if (!value.startsWith('tcp://')) return number.parse(value);
    throw new Error(
      'expected a port, not what Kubernetes sets for a Service called embeddings (rename the Service or set enableServiceLinks: false)',
    );
  };
  return { ...number, parse };
}

export function fraction(): Parser<number> {
  const parse = (value: string): number => {
    const number = Number(value);
    if (!/^\d*\.?\d+$/.test(value) || !(number > 0 && number <= 1))
      throw new Error('expected a number above 0 and at most 1');
    return number;
  };
  return { placeholder: 'share', parse };
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Parser<T> {
  const parse = (value: string): T => {
    const found = allowed.find((candidate) => candidate === value.toLowerCase());
    if (found === undefined) throw new Error(`expected ${allowed.join(', ')}`);
    return found;
  };
  return { placeholder: 'name', parse };
}

/** Seconds: `500ms`, `90`, `90s`, `5m`, `1h`; undefined for `never`. */
export function duration(): Parser<number | undefined> {
  const secondsOf: Readonly<Record<string, number>> = { ms: 0.001, '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
  const parse = (value: string): number | undefined => {
    const lower = value.toLowerCase();
    if (lower === 'never' || lower === '-1') return undefined;
    const [, count, unit = ''] = /^(\d{1,9})(ms|[smhd]|)$/.exec(lower) ?? [];
    if (count === undefined || Number(count) === 0)
      throw new Error('expected a time above 0 such as 90s, 5m or 1h, or never');
    return Number(count) * secondsOf[unit]!; // the pattern lets only these units through
  };
  return { placeholder: 'time', parse };
}

/** Bytes: `8GB`, `7.5GiB`, `500M`. */
export function bytes(): Parser<number> {
  const powers = ['', 'k', 'm', 'g', 't'];
  const parse = (value: string): number => {
    const [, count, prefix = '', binary = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(value) ?? [];
    const size = Math.round(Number(count) * (binary === '' ? 1000 : 1024) ** powers.indexOf(prefix.toLowerCase()));
    if (count === undefined || !(size > 0)) throw new Error('expected a size such as 8GB, 7.5GiB or 500MB');
    return size;
  };
  return { placeholder: 'size', parse };
}

/** `http://user:password@host:3128`, or `host:3128` as curl takes it. */
export function proxy(): Parser<string> {
  const parse = (value: string): string => {
    const address = value.includes('://') ? value : `http://${value}`;
    if (!/^(https?|socks5?):\/\//i.test(address) || !URL.canParse(address))
      throw new Error('expected an address such as http://host:3128');
    return address;
  };
  return { placeholder: 'proxy', parse };
}

/** `redis://user:password@host:6379/0`, `rediss://` for TLS. */
export function redis(): Parser<string> {
  const parse = (value: string): string => {
    if (!/^rediss?:\/\//i.test(value) || !URL.canParse(value))
      throw new Error('expected an address such as redis://host:6379');
    return value;
  };
  return { placeholder: 'url', parse };
}

/** `https://host` or `https://host/path`, without the slash at its end. */
export function url(): Parser<string> {
  const parse = (value: string): string => {
    if (!/^https?:\/\//i.test(value) || !URL.canParse(value))
      throw new Error('expected an address such as https://host');
    const { username, password, search, hash } = new URL(value);
    if (username + password + search + hash !== '')
      throw new Error('expected an address without user, password, query and fragment');
    return value.replace(/\/+$/, '');
  };
  return { placeholder: 'url', parse };
}
