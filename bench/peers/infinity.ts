import { join } from 'node:path';
import type { Context } from '../context.ts';
import { ensureVenv } from '../venv.ts';
import { ensureOnnxModel } from './onnx-model.ts';
import type { Peer } from './peer.ts';
import { startPeer } from './start-peer.ts';

/**
 * infinity (PyPI `infinity-emb`).
 * - its onnx engine pools by the first token unless told to take the mean
 * - bettertransformer is off: current versions of torch do the same by themselves
 * - no warm-up, which starts it sooner and is done by the benchmark anyway
 */
export function createInfinity(context: Context, engine: 'torch' | 'onnx'): Peer {
  const { root, scratch, model, python } = context;
  return {
    name: `infinity ${engine}`,
    model,
    start: () => {
      const folder = engine === 'torch' ? python().modelDir : ensureOnnxModel(context, 'fp32');
      const venvPython = ensureVenv({
        folder: join(scratch, 'peers/infinity'),
        requirements: join(root, 'bench/peers/infinity.txt'),
        about: 'infinity (about 6 GB)',
      });
      const args = {
        'model-id': '.', // its onnx engine finds files only below a relative path, and only beside config.json
        'served-model-name': model,
        engine: engine === 'torch' ? 'torch' : 'optimum',
        device: 'cpu',
        'pooling-method': 'mean',
        'batch-size': '8', // the fastest of 8, 16 and 32
        'url-prefix': '/v1',
        host: '127.0.0.1',
      };
      return startPeer({
        command: join(venvPython, '../infinity_emb'),
        args: (port) => [
          'v2',
          ...Object.entries({ ...args, port: String(port) }).flatMap(([name, value]) => [`--${name}`, value]),
          '--no-bettertransformer',
          '--no-model-warmup',
        ],
        cwd: folder,
        env: () => ({ HF_HUB_OFFLINE: '1', DO_NOT_TRACK: '1', INFINITY_ANONYMOUS_USAGE_STATS: '0' }),
        model,
        logFile: join(scratch, `infinity-${engine}.log`),
      });
    },
  };
}
