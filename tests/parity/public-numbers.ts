/**
 * Numbers that others published for real weights: they hold the whole way from a text to the vectors of a model to what
 * somebody else computed. Not normalised.
 * - text-embeddings-inference, `backends/candle/tests/snapshots`: pooled vectors in float32. It computes gelu by its
 *   tanh form, which costs the models with exact gelu a few thousandths.
 * - transformers, `tests/models/*`: columns 1 to 3 of the tokens 1 to 3, with the tolerance its own tests use.
 */
export interface PublicNumbers {
  readonly source: 'text-embeddings-inference' | 'transformers';
  /** Repositories with these weights; the first on this machine is used. */
  readonly repositories: readonly string[];
  readonly task?: string;
  /** Text, or ids where the source gives those. */
  readonly input: string | readonly number[];
  readonly rows: PooledNumbers | TokenNumbers;
  /** As torch's assert_close: `|got - expected| <= absolute + relative |expected|`. */
  readonly tolerance: { readonly absolute: number; readonly relative: number };
}

interface PooledNumbers {
  readonly pooling: 'mean' | 'cls' | 'lasttoken';
  /** The first columns. */
  readonly values: readonly number[];
}

interface TokenNumbers {
  readonly pooling: 'none';
  /** Which token and column of the sequence the first value is. */
  readonly firstToken: number;
  readonly firstColumn: number;
  readonly values: readonly (readonly number[])[];
}

const question = 'What is Deep Learning?';
const sameActivation = { absolute: 2e-3, relative: 2e-3 };
const otherGelu = { absolute: 1e-2, relative: 1e-2 };
const computedInF16 = { absolute: 5e-2, relative: 5e-2 };

function snapshot(
  repository: string,
  pooling: PooledNumbers['pooling'],
  tolerance: PublicNumbers['tolerance'],
  values: readonly number[],
): PublicNumbers {
  const rows = { pooling, values };
  return { source: 'text-embeddings-inference', repositories: [repository], input: question, rows, tolerance };
}

const snapshots: readonly PublicNumbers[] = [
  snapshot(
    'sentence-transformers/all-MiniLM-L6-v2',
    'mean',
    otherGelu,
    [-0.59059864, -0.25252345, 0.14972475, 0.05487579, -0.11783009, -0.16678402, -0.23309596, -0.07095148],
  ),
  snapshot(
    'sentence-transformers/all-mpnet-base-v2',
    'mean',
    otherGelu,
    [-0.07253095, -0.0068269786, -0.13467498, -0.01596497, -0.033424024, 0.100114025, 0.020715883, 0.0037703195],
  ),
  snapshot(
    'jinaai/jina-embeddings-v2-base-code',
    'mean',
    otherGelu,
    [-0.15109017, -0.021903912, -0.08391459, -0.12880382, 0.35795733, 0.2964905, -0.7700258, -0.6232095],
  ),
  snapshot(
    'jinaai/jina-embeddings-v2-small-en',
    'mean',
    otherGelu,
    [-0.7366036, -0.34022003, -0.0716392, 0.108484305, 0.14210966, -0.4099645, 0.23231864, 0.14997455],
  ),
  snapshot(
    'nomic-ai/nomic-embed-text-v1.5',
    'mean',
    sameActivation,
    [0.27285635, 0.94036365, -2.5491776, -2.0234516, 1.4199733, 0.8992536, 1.1862304, -0.905342],
  ),
  snapshot(
    'nomic-ai/nomic-embed-text-v2-moe',
    'mean',
    otherGelu,
    [-0.7703948, 0.06603849, -0.74816215, -0.13090475, 0.047573686, -0.7196515, 0.031576473, 0.06883613],
  ),
  snapshot(
    'Alibaba-NLP/gte-base-en-v1.5',
    'cls',
    otherGelu,
    [0.4415129, 0.61066884, 0.06948684, -0.59306145, 0.8815817, -0.10978132, 0.088771455, -0.20833027],
  ),
  snapshot(
    'Alibaba-NLP/gte-multilingual-base',
    'cls',
    otherGelu,
    [0.016608043, -0.5738141, -1.2647005, 0.1143095, 1.1395286, -1.6311411, -0.68933266, 1.2754854],
  ),
  snapshot(
    'Snowflake/snowflake-arctic-embed-m-v2.0',
    'cls',
    otherGelu,
    [1.7535613, 0.79910284, -1.1066751, -0.33090124, 1.0041298, -0.790565, -0.5240356, 0.75184333],
  ),
  snapshot(
    'answerdotai/ModernBERT-base',
    'mean',
    otherGelu,
    [0.34931707, -0.51038086, -0.33732572, -0.14398514, 0.42293617, 0.08094036, -0.0596616, -0.2530186],
  ),
  snapshot(
    'Qwen/Qwen3-Embedding-0.6B',
    'lasttoken',
    sameActivation,
    [-1.5195851, -3.0843177, -1.0581057, -6.4716716, -1.6939588, 6.247706, -6.0047812, 0.33277434],
  ),
  snapshot(
    'Salesforce/SFR-Embedding-2_R',
    'mean',
    computedInF16,
    [3.2363281, -1.1582031, 1.0810547, -2.0234375, 1.6054688, -1.0048828, 0.4362793, -0.87646484],
  ),
  snapshot(
    'Alibaba-NLP/gte-Qwen2-1.5B-instruct',
    'lasttoken',
    computedInF16,
    [-4.9960938, 6.8007813, -1.6386719, -3.2109375, 7.0507813, -0.5097656, -2.75, -1.5380859],
  ),
];

function tokens(
  repositories: readonly string[],
  input: PublicNumbers['input'],
  tolerance: number,
  values: readonly (readonly number[])[],
): PublicNumbers {
  return {
    source: 'transformers',
    repositories,
    input,
    rows: { pooling: 'none', firstToken: 1, firstColumn: 1, values },
    tolerance: { absolute: tolerance, relative: tolerance },
  };
}

// The test hides the first token, <s>, from the others. Without it the rest is the same: positions are relative.
const jinaIds = [345, 232, 328, 740, 140, 1695, 69, 6078, 1588, 2];

function jina(task: string | undefined, values: readonly (readonly number[])[]): PublicNumbers {
  const repositories = ['jinaai/jina-embeddings-v3', ...(task === undefined ? ['jinaai/jina-embeddings-v3-hf'] : [])];
  const row = tokens(repositories, jinaIds, 1e-4, values);
  return {
    ...row,
    rows: { pooling: 'none', firstToken: 0, firstColumn: 1, values },
    ...(task === undefined ? {} : { task }),
  };
}

const [short, long] = ['Plants create oxygen.', 'Photosynthesis is a process where plants create oxygen.'];
const multilingual = ['Alibaba-NLP/gte-multilingual-base', 'alibaba-nlp-community/gte-multilingual-base'];
const english = ['Alibaba-NLP/gte-base-en-v1.5', 'alibaba-nlp-community/gte-base-en-v1.5'];
const arctic = ['Snowflake/snowflake-arctic-embed-m-v2.0'];
const nomic = ['nomic-ai/nomic-embed-text-v1.5'];

export const publicNumbers: readonly PublicNumbers[] = [
  ...snapshots,
  jina(undefined, [
    [-2.1561, 1.8075, -0.1943],
    [-2.0813, 1.9855, -0.276],
    [-2.1181, 2.0043, -0.1322],
  ]),
  jina('retrieval.query', [
    [-1.5202, 2.4074, -0.9706],
    [-1.5279, 2.4025, -1.1237],
    [-1.5252, 2.6143, -0.9416],
  ]),
  jina('retrieval.passage', [
    [-1.0778, 1.8124, -0.8223],
    [-1.3796, 1.8108, -0.9868],
    [-1.1073, 1.9459, -0.8104],
  ]),
  jina('separation', [
    [-2.3134, 1.9034, 0.1885],
    [-2.1804, 1.9923, 0.1184],
    [-2.2325, 2.0251, 0.2533],
  ]),
  jina('classification', [
    [-1.9793, 2.2602, -0.17995],
    [-1.878, 2.266, -0.21822],
    [-1.9202, 2.4457, -2.2832e-4],
  ]),
  jina('text-matching', [
    [-1.6952, 1.8568, -0.2258],
    [-1.6239, 1.9056, -0.2681],
    [-1.5218, 1.8185, 0.0062],
  ]),
  tokens(nomic, short, 1e-3, [
    [1.7039, -4.561, 1.5236],
    [1.8685, -3.6936, 1.6641],
    [0.53303, -4.2081, 2.3375],
  ]),
  tokens(nomic, long, 1e-3, [
    [0.0026867, -3.7496, 0.9082],
    [0.018297, -3.3884, 0.353],
    [-0.14282, -3.6776, -0.35079],
  ]),
  tokens(multilingual, short, 1e-3, [
    [0.266, -0.2507, 0.3888],
    [0.5936, -0.4777, 0.5725],
    [0.5867, -0.4302, 0.5467],
  ]),
  tokens(multilingual, long, 1e-3, [
    [0.4506, -0.2547, 0.4193],
    [0.3973, -0.2549, 0.3836],
    [0.3309, -0.3932, 0.4126],
  ]),
  tokens(english, short, 1e-3, [
    [-0.0137, -0.4422, 0.5301],
    [-0.2834, 0.4779, 0.6164],
    [-0.257, 0.3076, 0.7647],
  ]),
  tokens(english, long, 1e-3, [
    [-0.1446, -0.0088, -0.1134],
    [-0.1478, 0.1888, 0.3145],
    [-0.1605, 0.175, 0.1975],
  ]),
  tokens(arctic, short, 1e-3, [
    [1.2827, 0.5775, -0.4335],
    [1.3125, 0.2771, -0.4684],
    [1.4864, 0.1338, -0.3023],
  ]),
  tokens(arctic, long, 1e-3, [
    [1.6184, -0.2137, -0.8186],
    [1.6171, -0.25, -0.536],
    [1.4568, -0.3333, -0.5992],
  ]),
];
