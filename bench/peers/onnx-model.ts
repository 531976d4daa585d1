import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';

export type OnnxKind = 'fp32' | 'q8';

/** Folder with the official weights as ONNX, made once; `q8` is the dynamic quantisation of onnxruntime. */
export function ensureOnnxModel({ root, scratch, python }: Context, kind: OnnxKind): string {
  const folder = join(scratch, 'peers/onnx');
  const done = join(folder, 'complete'); // written last
  if (!existsSync(done)) {
    const { command, modelDir } = python();
    const tools = join(scratch, 'peers/onnx-tools');
    process.stdout.write(`Exporting the model as ONNX into ${folder} (once)\n`);
    const requirements = join(root, 'bench/peers/onnx-tools.txt');
    execFileSync(command, ['-m', 'pip', 'install', '--quiet', '--upgrade', '--target', tools, '-r', requirements], {
      stdio: 'inherit',
    });
    execFileSync(command, [join(root, 'bench/peers/export_onnx.py'), modelDir, folder], {
      stdio: 'inherit',
      env: { ...process.env, PYTHONPATH: tools, HF_HUB_OFFLINE: '1' },
    });
  }
  return join(folder, kind);
}
