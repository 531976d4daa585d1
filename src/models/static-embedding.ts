import type { GraphBuilder, Value } from '../graph/builder.ts';
import type { DType } from '../graph/graph.ts';
import type { PackedInputs } from '../graph/packed-inputs.ts';
import { weightDTypes } from '../graph/types.ts';
import type { ElementType, TensorIndex } from '../store/safetensors.ts';
import type { Architecture } from './architecture.ts';
import { ConfigFieldError, ConfigFields } from './config-fields.ts';

/**
 * A table of one vector per token, as model2vec and StaticEmbedding of sentence-transformers have it.
 * - No layers: the last hidden state is the rows themselves, so a text's vector is the mean of its tokens' rows.
 * - No special tokens, and no positions: any length works.
 * - model2vec names the table `embeddings`; `mapping` gives the row of each token where several share one, and
 *   `weights` scales each token's row. sentence-transformers names it `embedding.weight`, and reads both.
 * - model2vec leaves out tokens of unknown text, sentence-transformers keeps them. The published models name both
 *   libraries: where modules.json has the step StaticEmbedding, it is sentence-transformers.
 * - Sizes come from the tensors: config.json need not exist.
 */
export const staticEmbedding: Architecture<StaticConfig> = {
  about: {
    unusual: "no layers: the mean of a table's rows",
    examples: ['minishlab/potion-base-8M', 'sentence-transformers/static-retrieval-mrl-en-v1'],
  },
  prefixes: [],
  canonicalName: (name) => (name === model2vecTable ? table : name),
  matches: (_config, tensors) => tensors.has(table),
  parseConfig,
  describe: ({ keepsUnknown, vocabulary, size }) => ({
    hidden: size,
    layers: 0,
    vocabulary,
    maxTokens,
    positions: { first: 0 },
    tokens: { special: false, unknown: keepsUnknown },
  }),
  build,
};

interface StaticConfig {
  readonly keepsUnknown: boolean;
  readonly rows: number;
  readonly size: number;
  /** Token ids; more than rows where a mapping lets tokens share them. */
  readonly vocabulary: number;
  readonly hasMapping: boolean;
  readonly hasWeights: boolean;
}

const model2vecTable = 'embeddings';
const table = 'embedding.weight';
const maxTokens = 32_768; // the table knows no limit; so many rows of 1024 numbers take 400 MB while they are averaged

/** model2vec also stores whole numbers: vectors are normalised at the end, so their scale does not matter. */
const tableFormats: Readonly<Partial<Record<ElementType, DType>>> = { ...weightDTypes, I8: 'int8' };
const mappingFormats: Readonly<Partial<Record<ElementType, DType>>> = { I64: 'int64', I32: 'int32' };

function parseConfig(json: unknown, tensors: TensorIndex = new Map()): StaticConfig {
  const fields = new ConfigFields(json);
  const view = tensors.get(table);
  const [rows, size, ...rest] = view?.shape ?? [];
  if (view === undefined || rows === undefined || size === undefined || size < 1 || rest.length > 0)
    throw new ConfigFieldError(`Expected a table [tokens, size] named ${model2vecTable} or ${table}.`);
  const isModel2vec = view.name === model2vecTable;
  const mapping = isModel2vec ? tensors.get('mapping') : undefined;
  return {
    keepsUnknown: fields.value('model_type') !== 'model2vec', // `readConfig` puts the step's name there
    rows,
    size,
    vocabulary: mapping?.shape[0] ?? rows,
    hasMapping: mapping !== undefined,
    hasWeights: isModel2vec && tensors.has('weights'),
  };
}

/** `weights[id] * table[mapping[id]]` */
function build(
  g: GraphBuilder,
  { rows, size, vocabulary, hasMapping, hasWeights }: StaticConfig,
  { inputIds }: PackedInputs,
): Value {
  return g.scope('embedding', () => {
    const places = hasMapping
      ? g.op('Gather', [g.storedWeight('mapping', [vocabulary], mappingFormats), inputIds])
      : inputIds;
    const taken = g.cast(g.op('Gather', [g.storedWeight(table, [rows, size], tableFormats), places]), 'float32');
    if (!hasWeights) return taken;
    const scales = g.cast(g.op('Gather', [g.storedWeight('weights', [vocabulary]), inputIds]), 'float32');
    return g.op('Mul', [taken, g.op('Unsqueeze', [scales, g.int64(1)])]);
  });
}
