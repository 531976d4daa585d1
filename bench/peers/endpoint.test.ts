import { expect, test } from 'vitest';
import { parseEndpoint } from './endpoint.ts';

test('a server that runs already has a name, a URL and the model asked for', async () => {
  const peer = parseEndpoint('tei=http://localhost:8080', 'default/model');
  expect(peer).toMatchObject({ name: 'tei', model: 'default/model' });
  expect(await peer.start()).toMatchObject({ url: 'http://localhost:8080' });
});

test('its own name of the model stands after #', () => {
  expect(parseEndpoint('tei=http://10.0.0.1:80#a/b#c', 'default/model').model).toBe('a/b#c');
});

test('/v1 at the end of a URL is no path of its own', async () => {
  expect(await parseEndpoint('x=http://localhost:1/v1', 'm').start()).toMatchObject({ url: 'http://localhost:1' });
});

test.each(['http://localhost:8080', 'tei=', '=http://localhost:1', 'tei=localhost:8080', 'tei=http://'])(
  '%s is no NAME=URL',
  (argument) => {
    expect(() => parseEndpoint(argument, 'm')).toThrow('Expected NAME=URL');
  },
);

test.each(['x=https://localhost:1', 'x=http://localhost:1/api'])(
  '%s is refused: the load speaks http to /v1',
  (url) => {
    expect(() => parseEndpoint(url, 'm')).toThrow('Expected an http:// URL');
  },
);
