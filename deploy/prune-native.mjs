// Deletes the native binaries of other platforms from node_modules: about 300 MB that an image never loads.
// Run it in the image's own build, on the platform and libc that the image has: node deploy/prune-native.mjs
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const { platform, arch } = process;

const onnx = 'node_modules/onnxruntime-node/bin/napi-v6';
keepOnly(onnx, /./, platform);
keepOnly(join(onnx, platform), /./, arch);
keepOnly('node_modules/tokenizers', /\.node$/, `tokenizers.${platform}-${arch}-gnu.node`);

/** Deletes what matches `candidates` except `kept`. Throws without it, so that a changed package cannot empty an image unnoticed. */
function keepOnly(folder, candidates, kept) {
  const names = readdirSync(folder);
  if (!names.includes(kept)) throw new Error(`${folder}: expected ${kept}, found ${names.join(', ')}`);
  for (const name of names) {
    if (candidates.test(name) && name !== kept) rmSync(join(folder, name), { recursive: true });
  }
}
