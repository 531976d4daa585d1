import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

export const commitA = 'a'.repeat(40);
export const commitB = 'b'.repeat(40);

/** The smallest safetensors file: one tensor of one number. */
export const tinyWeights = safetensors({ w: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, Buffer.alloc(4, 1));

export const tinyModel: Readonly<Record<string, string | Buffer>> = {
  'config.json': '{}',
  'model.safetensors': tinyWeights,
  '1_Pooling/config.json': '{"pooling_mode_mean_tokens":true}',
};

export interface FakeSnapshot {
  readonly repository?: string;
  readonly commit?: string;
  /** Refs that point at the commit. */
  readonly refs?: readonly string[];
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** Writes a snapshot as Python's hub library does, and gives its folder. */
export function putSnapshot(hub: string, options: FakeSnapshot = {}): string {
  const { repository = 'acme/one', commit = commitA, refs = ['main'], files = tinyModel } = options;
  const root = join(hub, `models--${repository.replace('/', '--')}`);
  const snapshot = join(root, 'snapshots', commit);
  mkdirSync(join(root, 'blobs'), { recursive: true });
  mkdirSync(snapshot, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    const blob = join(root, 'blobs', blobName(path, content));
    writeFileSync(blob, content);
    const link = join(snapshot, path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(relative(dirname(link), blob), link);
  }
  for (const ref of refs) {
    mkdirSync(dirname(join(root, 'refs', ref)), { recursive: true });
    writeFileSync(join(root, 'refs', ref), commit);
  }
  return snapshot;
}

/** As the hub names them: weights by SHA-256, other files by git's id. */
export function blobName(path: string, content: string | Buffer): string {
  const bytes = Buffer.from(content);
  return path.endsWith('.safetensors')
    ? createHash('sha256').update(bytes).digest('hex')
    : createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** Writes plain files below a folder, and gives it. */
export function putFolder(folder: string, files: Readonly<Record<string, string | Buffer>> = tinyModel): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

/** Every file and link below a folder with what it holds. */
export function readTree(folder: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) Object.assign(found, readTree(path, `${prefix}${name}/`));
    else found[prefix + name] = stat.isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, 'latin1');
  }
  return found;
}

function safetensors(header: object, data: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}
