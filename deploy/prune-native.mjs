// Deletes the native binaries of other platforms, and tokenizers that are not read, from node_modules: about 320 MB that
// an image never loads.
// Run it in the image's own build, on the platform and libc that the image has: node deploy/prune-native.mjs
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const { platform, arch } = process;

const onnx = 'node_modules/onnxruntime-node/bin/napi-v6';
keepOnly(onnx, /./, platform);
keepOnly(join(onnx, platform), /./, arch);
keepOnly('node_modules/js-tiktoken/dist', /./, 'ranks');
keepOnly('node_modules/js-tiktoken/dist/ranks', /./, 'cl100k_base.js', 'o200k_base.js');
keepOnly('node_modules/tokenizers', /\.node$/, `tokenizers.${platform}-${arch}-gnu.node`);

/** Deletes what matches `candidates` except `kept`. Throws without one of those, so that a changed package cannot empty an image unnoticed. */
function keepOnly(folder, candidates, ...kept) {
  const names = readdirSync(folder);
  const missing = kept.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`${folder}: expected ${missing.join(', ')}, found ${names.join(', ')}`);
  for (const name of names) {
    if (candidates.test(name) && !kept.includes(name)) rmSync(join(folder, name), { recursive: true });
  }
}
