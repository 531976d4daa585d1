import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Provider } from '../graph/passes/all.ts';

/**
 * `auto` takes CUDA when the machine has a device and the runtime's CUDA library is installed.
 * An explicit `cuda` is taken at its word: when it cannot be had the load fails and says why.
 */
export function chooseProvider(device: 'auto' | 'cpu' | 'cuda'): Provider {
  if (device !== 'auto') return device;
  return existsSync('/dev/nvidia0') && existsSync(cudaLibrary()) ? 'cuda' : 'cpu';
}

function cudaLibrary(): string {
  const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  return join(runtime, 'bin', 'napi-v6', process.platform, process.arch, 'libonnxruntime_providers_cuda.so');
}
