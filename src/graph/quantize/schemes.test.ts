import { expect, test } from 'vitest';
import { graphOver } from '../../../tests/graph/quantized-graph.ts';
import { tempFolder } from '../../../tests/graph/temp-folder.ts';
import type { Value } from '../builder.ts';
import type { Graph } from '../graph.ts';
import { linear } from '../layers/linear.ts';
import type { Provider } from '../passes/all.ts';
import { Constants, findLinears } from './linears.ts';
import { chooseSchemes } from './schemes.ts';

const paths = ['query', 'key', 'value', 'out', 'gate', 'down'];
const shapes = { table: [10, 32], ...Object.fromEntries(paths.map((path) => [`${path}.weight`, [32, 32]])) };

/** An attention and a gated MLP. */
function buildLayer(): Graph {
  return graphOver(tempFolder(), shapes, (g, table) => {
    const layer = (path: string, input: Value) => linear(g, path, input, { inputs: 32, outputs: 32, bias: false });
    const x = g.op('Neg', [table]);
    const qkv = [layer('query', x), layer('key', x), layer('value', x)];
    const hidden = layer('out', g.op('MultiHeadAttention', qkv, { domain: 'com.microsoft' }));
    return layer('down', g.op('Mul', [g.op('Sigmoid', [layer('gate', hidden)]), hidden]));
  });
}

test.each<[4 | 8, Provider, string]>([
  [8, 'cpu', 'rows rows rows rows rows blocks-8'],
  [8, 'cuda', 'blocks-8 blocks-8 blocks-8 blocks-8 blocks-8 blocks-8'],
  [4, 'cpu', 'blocks-4 blocks-4 blocks-8 blocks-4 blocks-4 blocks-4'],
  [4, 'cuda', 'blocks-4 blocks-4 blocks-8 blocks-4 blocks-4 blocks-4'],
])('%i bits on %s: query, key, value, out, gate and down are %s', (bits, provider, schemes) => {
  const graph = buildLayer();
  const choose = chooseSchemes(graph, { bits, provider, constants: new Constants(graph) });
  const linears = new Map(findLinears(graph).map((each) => [each.weight.name, each]));
  expect(paths.map((path) => choose(linears.get(`${path}.weight`)!)).join(' ')).toBe(schemes);
});
