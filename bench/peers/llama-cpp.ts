import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { ensureVenv } from '../venv.ts';
import type { Peer } from './peer.ts';
import { startPeer } from './start-peer.ts';

/** llama.cpp in the server of PyPI's `llama-cpp-python`, which is compiled for this processor. */
export function createLlamaCpp(context: Context, type: 'F16' | 'Q8_0'): Peer {
  const { root, scratch, model, python } = context;
  return {
    name: `llama.cpp ${type}`,
    model,
    start: () => {
      const venvPython = ensureVenv({
        folder: join(scratch, 'peers/llama-cpp'),
        requirements: join(root, 'bench/peers/llama-cpp.txt'),
        about: 'llama-cpp-python (compiles for some ten minutes)',
        env: { CMAKE_ARGS: '-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF' },
      });
      const gguf = join(scratch, `peers/all-MiniLM-L6-v2-${type}.gguf`);
      if (!existsSync(gguf)) {
        const args = [join(root, 'bench/peers/convert_gguf.py'), python().modelDir, gguf, type];
        execFileSync(venvPython, args, { stdio: 'inherit' });
      }
      const threads = String(availableParallelism());
      const args = {
        model: gguf,
        model_alias: model,
        embedding: 'true',
        n_ctx: '2048',
        n_batch: '2048', // tokens of one run: a text must fit
        n_ubatch: '2048',
        n_threads: threads,
        n_threads_batch: threads,
        host: '127.0.0.1',
      };
      return startPeer({
        command: venvPython,
        args: (port) => [
          '-m',
          'llama_cpp.server',
          ...Object.entries({ ...args, port: String(port) }).flatMap(([name, value]) => [`--${name}`, value]),
        ],
        model,
        logFile: join(scratch, `llama-cpp-${type}.log`),
      });
    },
  };
}
