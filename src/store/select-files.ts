import { chooseWeightFiles, type WeightFiles } from './weight-files.ts';

/** The files of one repository that are of use here, by path. */
export interface FileSelection {
  /** Everything but the model's own weights: configuration, tokenizer, the steps after pooling. */
  readonly others: readonly string[];
  /** One set of weights; the file by which a folder counts as complete is the last. */
  readonly weights: readonly string[];
}

export interface SelectionFacts {
  /** Folder of the first step below the repository, `''` for the repository itself. */
  readonly root: string;
  /** Folders of the other steps. */
  readonly modules: readonly string[];
  /** The shards that an index of weights names; both lie in one folder of the repository. */
  readonly readShards: (indexFile: string) => readonly string[];
}

/** The files that say where the others are; fetched before anything is selected. */
export function selectFirstFiles(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => path === 'config.json' || path === 'modules.json');
}

/** The indexes of sharded weights among what would be selected; fetched before their shards are known. */
export function selectIndexes(
  paths: readonly string[],
  { root, modules }: Omit<SelectionFacts, 'readShards'>,
): readonly string[] {
  return [root, ...foldersBelow(paths, modules)].flatMap((folder) => {
    const weights = weightsOf(paths, folder);
    return weights?.file.endsWith('.json') === true ? [join(folder, weights.file)] : [];
  });
}

/** Which files the engine reads: no code, no weights of other frameworks, nothing of the training. */
export function selectFiles(paths: readonly string[], facts: SelectionFacts): FileSelection {
  const { root, modules, readShards } = facts;
  const moduleFolders = foldersBelow(paths, modules).filter((folder) => folder !== root);
  const small = ['', root, ...moduleFolders].flatMap((folder) =>
    namesIn(paths, folder)
      .filter(isSmallFile)
      .map((name) => join(folder, name)),
  );
  const moduleWeights = moduleFolders.flatMap((folder) => {
    const weights = weightsOf(paths, folder);
    return weights === undefined || weights.format === 'onnx' ? [] : filesOf(paths, folder, weights, readShards);
  });
  const main = weightsOf(paths, root);
  const weights = main === undefined ? [] : filesOf(paths, root, main, readShards);
  const taken = new Set(weights);
  return { others: [...new Set([...small, ...moduleWeights])].filter((path) => !taken.has(path)), weights };
}

const smallFiles = new Set([
  'config.json',
  'modules.json',
  'config_sentence_transformers.json',
  'router_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'bpe.codes',
  'vocab.json',
  'merges.txt',
  'sentencepiece.bpe.model',
  'spiece.model',
  'tokenizer.model',
]);

function isSmallFile(name: string): boolean {
  return smallFiles.has(name) || /^sentence_[\w-]+_config\.json$/.test(name);
}

function weightsOf(paths: readonly string[], folder: string): WeightFiles | undefined {
  const prefix = join(folder, '');
  return chooseWeightFiles(paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length)));
}

/** With the file last whose presence makes the set complete: a graph after its data. */
function filesOf(
  paths: readonly string[],
  folder: string,
  { format, file }: WeightFiles,
  readShards: SelectionFacts['readShards'],
): readonly string[] {
  const path = join(folder, file);
  if (format === 'onnx') {
    const isData = (other: string) => other.startsWith(path) && /^[._]data(_\d+)?$/.test(other.slice(path.length));
    return [...paths.filter(isData), path];
  }
  return file.endsWith('.json') ? [...readShards(path), path] : [path];
}

/** The folders of modules, and those inside them: a Router keeps a folder for each step of its routes. */
function foldersBelow(paths: readonly string[], modules: readonly string[]): readonly string[] {
  const folders = new Set(paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  const isModule = (folder: string) =>
    modules.some((module) => module !== '' && (folder === module || folder.startsWith(`${module}/`)));
  return [...folders].filter(isModule);
}

/** The names of the files that lie in the folder itself. */
function namesIn(paths: readonly string[], folder: string): readonly string[] {
  const prefix = join(folder, '');
  return paths
    .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
    .map((path) => path.slice(prefix.length));
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
