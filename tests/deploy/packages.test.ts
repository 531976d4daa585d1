import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

interface LockedPackage {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockedPackage>>;
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');
const inProduction = locked.filter(([, { dev }]) => dev !== true);

/** Licences that let anyone pass the service on, closed or open. */
const allowedLicences = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
];

test('every package of the lock file has a SHA-512, but tools of other platforms that a mirror does not serve', () => {
  const without = locked.filter(([, { integrity = '' }]) => !/^sha512-[\w+/]{86}==$/.test(integrity));
  expect(without.filter(([, { dev, optional }]) => !(dev === true && optional === true))).toEqual([]);
});

test('the lock file names no address of a package: it comes from the registry that npm is set to', () => {
  expect(locked.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
});

test('every version in package.json is exact', () => {
  const { dependencies, devDependencies } = readPackage(root);
  const ranges = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+$/.test(version),
  );
  expect(ranges).toEqual([]);
});

test('each package with an install script is decided on in allowScripts, and none may run', () => {
  const { allowScripts = {} } = readPackage(root);
  const names = locked.filter(([, entry]) => entry.hasInstallScript === true).map(([path]) => nameOf(path));
  expect(names).toContain('onnxruntime-node');
  expect(names.filter((name) => allowScripts[name] === undefined)).toEqual([]);
  expect(Object.values(allowScripts).filter(Boolean)).toEqual([]);
});

test('the licence of every package that the service runs with is one of the list', () => {
  const installed = inProduction.filter(([path]) => existsSync(join(root, path, 'package.json')));
  expect(installed.length).toBeGreaterThan(50);
  const missing = inProduction.filter(([path, { optional }]) => optional !== true && !existsSync(join(root, path)));
  expect(missing.map(([path]) => path)).toEqual([]);
  const refused = installed
    .map(([path]) => `${nameOf(path)}: ${readPackage(join(root, path)).license ?? 'none'}`)
    .filter((line) => !isAllowed(line.split(': ')[1] ?? ''));
  expect(refused).toEqual([]);
});

test.each([
  ['MIT', true],
  ['(MIT OR GPL-3.0)', true],
  ['(Apache-2.0 AND BSD-3-Clause)', true],
  ['(MIT AND GPL-3.0)', false],
  ['UNLICENSED', false],
  ['', false],
])('the licence "%s" is allowed: %s', (expression, expected) => {
  expect(isAllowed(expression)).toBe(expected);
});

/** One of the choices must be allowed as a whole. */
function isAllowed(expression: string): boolean {
  const choices = expression.replace(/[()]/g, '').split(' OR ');
  return choices.some((choice) => choice.split(' AND ').every((licence) => allowedLicences.includes(licence.trim())));
}

/** `node_modules/a/node_modules/@b/c` is `@b/c`. */
function nameOf(path: string): string {
  return path.split('node_modules/').at(-1) ?? path;
}

interface PackageJson {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

function readPackage(folder: string): PackageJson {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackageJson;
}
