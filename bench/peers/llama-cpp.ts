import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { ensureVenv } from '../venv.ts';
import type { Peer } from './peer.ts';
import { startPeer } from './start-peer.ts';

const longestText = '256'; // tokens, where sentence-transformers cuts this model

/**
 * llama.cpp in the server of PyPI's `llama-cpp-python`, which is compiled for this processor.
 * - texts that run together attend to each other before a mask: the smallest batch that every text fits in is the
 *   fastest, many times faster than one of 2048 tokens
 * - flash attention skips part of that
 */
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
        n_ctx: longestText,
        n_batch: longestText,
        n_ubatch: longestText,
        flash_attn: 'true',
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
