// Writes sbom.cdx.json (CycloneDX) and sbom.spdx.json (SPDX): every package of the service, and what is no package of its own.
//   node scripts/sbom.mjs [FOLDER]
// npm reads the packages from package-lock.json; models and the page of /redoc, which the build copies, are added here.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = process.argv[2] ?? root;
const parts = [...readModels(), readCopied('redoc')];

write('sbom.cdx.json', addToCycloneDx(readSbom('cyclonedx')));
write('sbom.spdx.json', addToSpdx(readSbom('spdx')));

/**
 * Of a copy without the packages for development: with `--omit dev` npm leaves out those too that both kinds of packages
 * need (npm/cli issue 7909).
 */
function readSbom(format) {
  const temporary = mkdtempSync(join(tmpdir(), 'embeddings-sbom-'));
  try {
    const { devDependencies: _, ...manifest } = readJson('package.json');
    const copy = join(temporary, manifest.name); // npm names the whole after the folder
    mkdirSync(copy);
    const lock = readJson('package-lock.json');
    delete lock.packages[''].devDependencies;
    lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => dev !== true));
    writeFileSync(join(copy, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(copy, 'package-lock.json'), JSON.stringify(lock));
    const options = ['--package-lock-only', '--sbom-type', 'application', '--sbom-format', format];
    return JSON.parse(execFileSync('npm', ['sbom', ...options], { cwd: copy, encoding: 'utf8', maxBuffer: 2 ** 26 }));
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

/** The weights that lie in the repository; models/provenance.json says where they come from. */
function readModels() {
  const { models } = readJson('models/provenance.json');
  return models.map(({ repository, license, origin, change, files }) => ({
    type: 'machine-learning-model',
    name: repository,
    id: `model-${repository.replace(/[^\w.-]/g, '-')}`,
    license,
    hash: { cycloneDx: 'SHA-256', spdx: 'SHA256', content: files[origin.weights.file].sha256 },
    change,
    ancestor: { purl: `pkg:huggingface/${repository}`, sha256: origin.weights.sha256 },
  }));
}

/** A package for development of which the build copies a file into the service. */
function readCopied(name) {
  const { packages } = readJson('package-lock.json');
  const { version, license, integrity } = packages[`node_modules/${name}`];
  const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
  const hash = { cycloneDx: 'SHA-512', spdx: 'SHA512', content };
  return { type: 'library', name, version, id: `copied-${name}`, license, hash, purl: `pkg:npm/${name}@${version}` };
}

function addToCycloneDx(sbom) {
  const components = parts.map(({ type, name, version, id, license, hash, purl, change, ancestor }) => ({
    'bom-ref': id,
    type,
    name,
    version,
    purl,
    hashes: [{ alg: hash.cycloneDx, content: hash.content }],
    licenses: [{ license: { id: license } }],
    pedigree: ancestor && {
      ancestors: [{ type, name, purl: ancestor.purl, hashes: [{ alg: hash.cycloneDx, content: ancestor.sha256 }] }],
      notes: change,
    },
  }));
  sbom.components.push(...components);
  const whole = sbom.dependencies.find(({ ref }) => ref === sbom.metadata.component['bom-ref']);
  whole.dependsOn.push(...parts.map(({ id }) => id));
  sbom.dependencies.push(...parts.map(({ id }) => ({ ref: id, dependsOn: [] })));
  return sbom;
}

function addToSpdx(sbom) {
  const packages = parts.map(({ name, version, id, license, hash, purl, change, ancestor }) => ({
    name,
    SPDXID: `SPDXRef-${id}`,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseDeclared: license,
    checksums: [{ algorithm: hash.spdx, checksumValue: hash.content }],
    sourceInfo: ancestor && `from ${ancestor.purl}, whose weights have SHA-256 ${ancestor.sha256}: ${change}`,
    externalRefs: purl && [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
  }));
  sbom.packages.push(...packages);
  sbom.creationInfo.created = sbom.creationInfo.created.replace(/\.\d+Z$/, 'Z'); // SPDX has no fractions of a second
  const whole = sbom.documentDescribes[0];
  const contains = packages.map(({ SPDXID }) => ({
    spdxElementId: whole,
    relatedSpdxElement: SPDXID,
    relationshipType: 'CONTAINS',
  }));
  sbom.relationships.push(...contains);
  return sbom;
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function write(name, sbom) {
  writeFileSync(join(folder, name), `${JSON.stringify(sbom, null, 2)}\n`);
}
