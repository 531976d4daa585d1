import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { ensureOnnxModel } from './onnx-model.ts';
import type { OnnxKind } from './onnx-model.ts';
import type { Peer } from './peer.ts';
import { startPeer } from './start-peer.ts';

const library = '@huggingface/transformers@4.3.1';

/** transformers.js behind the smallest Node server. */
export function createTransformersJs(context: Context, kind: OnnxKind): Peer {
  const { root, scratch, model } = context;
  return {
    name: `transformers.js ${kind}`,
    model,
    start: () => {
      const folder = ensureOnnxModel(context, kind);
      const server = installServer({ root, scratch });
      return startPeer({
        command: process.execPath,
        args: (port) => [server, folder, kind, String(availableParallelism()), String(port)],
        model,
        logFile: join(scratch, `transformers-js-${kind}.log`),
      });
    },
  };
}

/** The server lies beside the library that it imports. */
function installServer({ root, scratch }: { root: string; scratch: string }): string {
  const folder = join(scratch, 'peers/transformers-js');
  const done = join(folder, 'complete'); // written last
  if (!existsSync(done)) {
    mkdirSync(folder, { recursive: true });
    process.stdout.write(`Installing ${library} into ${folder} (about 500 MB, once)\n`);
    const flags = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
    execFileSync('npm', ['install', ...flags, library], { stdio: 'inherit' });
    writeFileSync(done, '');
  }
  const server = join(folder, 'server.mjs');
  copyFileSync(join(root, 'bench/peers/transformers-js-server.mjs'), server);
  return server;
}
