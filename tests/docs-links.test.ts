import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const notOurs = /^(\..*|node_modules|dist|coverage)$/;
const pages = readdirSync(root, { withFileTypes: true })
  .filter(({ name }) => !notOurs.test(name))
  .flatMap((entry) => (entry.isDirectory() ? below(entry.name) : [entry.name]))
  .filter((path) => path.endsWith('.md'));

test('the pages of this repository are found', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/api.md', 'docs/decisions/README.md']));
});

test.each(pages)('every relative link of %s leads to a file, and to a heading where it names one', (page) => {
  const broken = linksOf(page).filter(({ path, anchor }) => !existsSync(path) || !hasHeading(path, anchor));
  expect(broken.map(({ link }) => link)).toEqual([]);
});

test.each(pages)('every file of this repository that %s names is there', (page) => {
  const named = [...read(page).matchAll(/`((?:src|tests|docs|scripts|deploy|examples|bench)\/[\w./-]*)`/g)];
  // Beside the page too: some name files of their own folder.
  const missing = named.filter(
    ([, path = '']) => !existsSync(join(root, path)) && !existsSync(join(root, page, '..', path)),
  );
  expect(missing.map(([, path]) => path)).toEqual([]);
});

test('a broken link and a missing heading are seen', () => {
  expect(hasHeading(join(root, 'docs/api.md'), 'keys-and-browsers')).toBe(true);
  expect(hasHeading(join(root, 'docs/api.md'), 'keys-and-locks')).toBe(false);
  expect(targetsOf('[a](b.md#c) `[code](no.md)` [web](https://x.example) ![image](d.png "title")')).toEqual([
    'b.md#c',
    'd.png',
  ]);
});

function linksOf(page: string): readonly { link: string; path: string; anchor: string | undefined }[] {
  return targetsOf(read(page)).map((link) => {
    const [file = '', anchor] = link.split('#');
    return { link, path: file === '' ? join(root, page) : join(root, dirname(page), decodeURI(file)), anchor };
  });
}

function targetsOf(text: string): readonly string[] {
  const prose = text.replace(/```[^]*?```|`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)[^)]*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^\w+:/.test(target));
}

/** Headings become anchors as GitHub makes them. */
function hasHeading(path: string, anchor: string | undefined): boolean {
  if (anchor === undefined) return true;
  const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
  return headings.includes(anchor);
}

function below(folder: string): readonly string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => !name.split('/').some((part) => notOurs.test(part))).map((name) => join(folder, name));
}

function read(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}
