// Adds to package-lock.json the optional packages that npm left out, so that `npm ci` accepts it everywhere.
// npm drops an optional package that the registry at hand does not serve (a mirror without the binaries of other
// platforms), and then refuses its own lock file. Such a package is never fetched on a platform that its name excludes,
// so a version and the platform are enough. Run it after `npm install` of something: node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const path = process.argv[2] ?? 'package-lock.json';
const lock = JSON.parse(readFileSync(path, 'utf8'));

const added = [];
for (const [place, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(name, place)) continue;
    if (!/^\d+\.\d+\.\d+/.test(version))
      throw new Error(`${place}: expected an exact version of ${name}, got ${version}`);
    const { cpu, libc, os } = platformOf(name);
    // In npm's own order of keys, so that its next write changes nothing; an undefined one is not written.
    lock.packages[`node_modules/${name}`] = { version, cpu, dev: entry.dev, libc, optional: true, os };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${path}: ${added.length} optional packages added`);

/** Whether `name` is found from `place` upwards, as Node would look for it. */
function isLocked(name, place) {
  for (let folder = place; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true;
    if (!folder.includes('/node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined;
  }
}

/** `@oxlint/binding-linux-arm64-musl` says it all. */
function platformOf(name) {
  const words = name.split(/[/-]/);
  const pick = (known) => words.filter((word) => known.includes(word));
  const os = pick([
    'aix',
    'android',
    'darwin',
    'freebsd',
    'linux',
    'netbsd',
    'openbsd',
    'openharmony',
    'sunos',
    'win32',
  ]);
  const cpu = pick(['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']);
  if (os.length !== 1 && cpu[0] !== 'wasm32')
    throw new Error(`${name}: expected the name of an operating system in it`);
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : [];
  const list = (found) => (found.length > 0 ? found : undefined);
  return { cpu: list(cpu), libc: list(libc), os: list(os) };
}
