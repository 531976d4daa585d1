import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import provenance from '../../models/provenance.json' with { type: 'json' };

const root = join(import.meta.dirname, '../..');
const [model] = provenance.models;
const weights = model!.files['model.safetensors'].sha256;

interface CycloneDx {
  readonly specVersion: string;
  readonly metadata: { readonly component: { readonly name: string; readonly 'bom-ref': string } };
  readonly components: readonly {
    readonly 'bom-ref': string;
    readonly group?: string;
    readonly name: string;
    readonly version?: string;
    readonly type: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
    readonly licenses?: readonly { readonly license: { readonly id?: string } }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Spdx {
  readonly spdxVersion: string;
  readonly creationInfo: { readonly created: string };
  readonly packages: readonly {
    readonly SPDXID: string;
    readonly name: string;
    readonly versionInfo?: string;
    readonly checksums?: readonly { readonly checksumValue: string }[];
  }[];
  readonly relationships: readonly { readonly spdxElementId: string; readonly relatedSpdxElement: string }[];
}

const folder = mkdtempSync(join(tmpdir(), 'embeddings-sbom-'));
let cycloneDx: CycloneDx;
let spdx: Spdx;

beforeAll(() => {
  execFileSync('node', [join(root, 'scripts/sbom.mjs'), folder]);
  cycloneDx = readJson('sbom.cdx.json') as CycloneDx;
  spdx = readJson('sbom.spdx.json') as Spdx;
});
afterAll(() => rmSync(folder, { recursive: true }));

test('both lists have every package that the lock file has for production, and no tool', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; dev?: boolean }>;
  };
  const wanted = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version }]) => `${path.split('node_modules/').at(-1)}@${version}`);
  const inCycloneDx = cycloneDx.components.map(
    ({ group, name, version }) => `${group === undefined || group === '' ? '' : `${group}/`}${name}@${version}`,
  );
  const inSpdx = spdx.packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);
  for (const list of [inCycloneDx, inSpdx]) {
    expect(wanted.filter((name) => !list.includes(name))).toEqual([]);
    expect(list.filter((name) => /^(vitest|typescript|oxlint)@/.test(name))).toEqual([]);
    expect(list.some((name) => name.startsWith('redoc@'))).toBe(true); // the build copies its page
  }
});

test('both lists have the bundled model by the hash of its weights', () => {
  const component = cycloneDx.components.find(({ name }) => name === model!.repository);
  expect(component).toMatchObject({
    type: 'machine-learning-model',
    hashes: [{ alg: 'SHA-256', content: weights }],
    licenses: [{ license: { id: 'Apache-2.0' } }],
    pedigree: { ancestors: [{ hashes: [{ content: model!.origin.weights.sha256 }] }] },
  });
  const found = spdx.packages.find(({ name }) => name === model!.repository);
  expect(found?.checksums).toEqual([{ algorithm: 'SHA256', checksumValue: weights }]);
});

test('the parts of the lists refer to each other', () => {
  expect(cycloneDx.metadata.component.name).toBe('embeddings');
  expect(cycloneDx.specVersion).toMatch(/^1\.[5-9]$/);
  expect(spdx.spdxVersion).toBe('SPDX-2.3');
  expect(spdx.creationInfo.created).toMatch(/^[\d-]+T[\d:]+Z$/);
  const refs = [cycloneDx.metadata.component, ...cycloneDx.components].map((component) => component['bom-ref']);
  expect(new Set(refs).size).toBe(refs.length);
  const used = cycloneDx.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
  expect(used.filter((ref) => !refs.includes(ref))).toEqual([]);
  const ids = ['SPDXRef-DOCUMENT', ...spdx.packages.map(({ SPDXID }) => SPDXID)];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => !/^SPDXRef-[\w.-]+$/.test(id))).toEqual([]);
  const related = spdx.relationships.flatMap((one) => [one.spdxElementId, one.relatedSpdxElement]);
  expect(related.filter((id) => !ids.includes(id))).toEqual([]);
});

test.each(['Dockerfile.cpu', 'Dockerfile.gpu'])('the image of %s makes and carries both lists', (name) => {
  const file = readFileSync(join(root, name), 'utf8');
  expect(file).toMatch(/npm run sbom && npm prune/);
  expect(file).toContain('COPY --from=build /app/sbom.cdx.json /app/sbom.spdx.json ./');
});

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}
