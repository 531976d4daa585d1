import { expect, test } from 'vitest';
import { bytes, duration, proxy, someOf, url } from './parse-setting.ts';

test.each([
  ['90', 90],
  ['90s', 90],
  ['5m', 300],
  ['1H', 3600],
  ['2d', 172_800],
  ['never', undefined],
  ['-1', undefined],
])('the time %s', (text, seconds) => {
  expect(duration().parse(text)).toBe(seconds);
});

test.each(['0', '0s', '5 m', '-2', '1.5h', 'soon', ''])('%j is no time', (text) => {
  expect(() => duration().parse(text)).toThrow('expected a time above 0 such as 90s, 5m or 1h, or never');
});

test.each([
  ['8GB', 8e9],
  ['7.5GiB', 7.5 * 2 ** 30],
  ['500M', 5e8],
  ['500 mib', 500 * 2 ** 20],
  ['1048576', 1_048_576],
])('the size %s', (text, size) => {
  expect(bytes().parse(text)).toBe(size);
});

test.each(['0', 'GB', '8 XB', '-1GB', 'much'])('%j is no size', (text) => {
  expect(() => bytes().parse(text)).toThrow('expected a size such as 8GB, 7.5GiB or 500MB');
});

test.each([
  ['proxy.test:3128', 'http://proxy.test:3128'],
  ['http://user:pass@proxy.test:3128', 'http://user:pass@proxy.test:3128'],
])('the proxy %s', (text, address) => {
  expect(proxy().parse(text)).toBe(address);
});

test.each(['ht!tp://proxy', 'ftp://proxy', 'http://'])('%j is no proxy', (text) => {
  expect(() => proxy().parse(text)).toThrow('expected an address such as http://host:3128');
});

test('the slash at the end of an address is dropped', () => {
  expect(url().parse('https://mirror.test/hf/')).toBe('https://mirror.test/hf');
});

test.each(['mirror.test', 'ftp://mirror.test', 'https://user:hush@mirror.test', 'https://mirror.test/?a=b'])(
  '%j is no address to download from',
  (text) => {
    expect(() => url().parse(text)).toThrow('expected an address');
  },
);

test('some of a list of names, or none', () => {
  const { parse } = someOf('docs', 'metrics');
  expect([parse('metrics'), parse('docs, Metrics'), parse('none')]).toEqual([['metrics'], ['docs', 'metrics'], []]);
  expect(() => parse('docs,info')).toThrow('expected docs, metrics');
});
