import { explainArchitecture } from '../../models/explain-architecture.ts';
import { readConfig } from '../../models/open-model.ts';
import { findArchitecture, modelTypeOf } from '../../models/registry.ts';
import { findUnreadFields } from '../../models/unread-fields.ts';
import { findModelRoot } from '../../store/modules.ts';
import type { TensorIndex } from '../../store/safetensors.ts';
import { findWeightFiles, readWeights } from '../../store/weight-files.ts';
import { configDialect, ownCodeOf } from './config-dialect.ts';
import type { ArchitectureFacts } from './diagnosis.ts';

export interface ReadArchitecture {
  readonly facts: ArchitectureFacts;
  /** Fields of config.json that no code looks at, for a model whose graph can be built. @throws WeightError */
  readonly findUnread: () => readonly string[];
  /** Absent for a repository of ONNX files, which are graphs of their own. */
  readonly tensors?: TensorIndex;
}

/**
 * What config.json and the tensors of a folder say, and which row of the registry takes them.
 * @throws ConfigFieldError, WeightFileError, WeightError
 */
export async function readArchitectureFacts(folder: string): Promise<ReadArchitecture> {
  const { folder: root, kind } = findModelRoot(folder);
  const json = readConfig(root, kind);
  const dialect = configDialect(json);
  const common = { dialect, ownCode: ownCodeOf(json) };
  if (findWeightFiles(root)?.format === 'onnx')
    return { facts: { ...common, modelType: modelTypeOf(json), candidates: [], name: null }, findUnread: () => [] };
  const tensors = readWeights(root);
  const found = await findArchitecture(json, tensors);
  const facts: ArchitectureFacts = {
    ...common,
    ...(await explainArchitecture(json, tensors)),
    name: found?.name ?? null,
    ...(found === undefined ? { tensorNames: collapseLayers([...tensors.keys()]) } : {}),
  };
  const findUnread = () => (found === undefined ? [] : findUnreadFields(json, found.architecture, found.tensors));
  return { facts, findUnread, tensors };
}

function collapseLayers(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.replaceAll(/(?<=\.)\d+(?=\.)/g, '*')))];
}
