import { formatBytes } from '../../util/format-bytes.ts';
import { formatTable } from '../table.ts';
import type { Check, Comparison } from './compare.ts';
import type { ArchitectureFacts, Diagnosis, FileFacts, PoolingFacts } from './diagnosis.ts';
import type { Piece } from '../../tokenizer/native-encoder.ts';
import type { TrialRun } from './try-run.ts';
import { describeVerdict } from './verdict.ts';

type Row = readonly [label: string, value: string];

const shownPieces = 60;
const shownTensors = 40;

/** The diagnosis to be read: sections of facts, what is not verified, and the verdict last. */
export function toText(diagnosis: Diagnosis): string {
  const sections = [
    section('files', fileRows(diagnosis.files)),
    section('weights', weightRows(diagnosis)),
    section('architecture', architectureRows(diagnosis.architecture)),
    section('text', textRows(diagnosis)),
    section('vector', poolingRows(diagnosis.pooling)),
    section('machine', machineRows(diagnosis)),
    section('run', runRows(diagnosis.run)),
    section('compared with sentence-transformers', comparisonRows(diagnosis.comparison)),
    section(
      'not verified',
      diagnosis.unverified.map((point) => ['-', point]),
    ),
  ];
  // Files of a model may hold what would command the terminal.
  return `${sections.join('')}${describeVerdict(diagnosis)}`.replaceAll(/(?![\n\t])\p{Cc}/gu, '\u{fffd}');
}

function section(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  return `${title}\n${formatTable(rows.map(([label, value]) => [`  ${label}`, value]))}\n`;
}

function fileRows({ repository, allowlistLine, folder, revision, places }: FileFacts): readonly Row[] {
  return [
    ...(repository === null ? [] : [['repository', repository] as const]),
    ...(repository === null
      ? []
      : [['allowlist', allowlistLine === null ? 'not on it' : `line ${allowlistLine}`] as const]),
    ['found in', folder ?? 'no place'],
    ...(revision === null ? [] : [['revision', revision] as const]),
    ...places.map(({ kind, folder: place, problem }): Row => [
      'looked at',
      `${place} (${kind}): ${problem ?? (place === folder ? 'complete, used' : 'complete, not needed')}`,
    ]),
  ];
}

function weightRows({ weights, tensors, resources }: Diagnosis): readonly Row[] {
  if (weights === undefined) return [];
  const { format, files, sizeBytes, parameters, storedAs } = weights;
  const types = Object.entries(storedAs).map(([type, count]) => `${type} (${count.toLocaleString('en')})`);
  return [
    ['format', `${format}, ${formatBytes(sizeBytes)} in ${files.length === 1 ? files[0] : `${files.length} files`}`],
    ['parameters', parameters.toLocaleString('en')],
    ['stored as', types.join(', ')],
    ['computed in', resources?.precision ?? 'float32'],
    [
      'tensors',
      tensors === undefined
        ? String(weights.tensors)
        : `${tensors.used} used, ${tensors.notNeeded} not needed, ${tensors.notUsed.length} not used without a rule`,
    ],
  ];
}

function architectureRows(facts: ArchitectureFacts | undefined): readonly Row[] {
  if (facts === undefined) return [];
  const { modelType, name, candidates, dialect, shape } = facts;
  return [
    ['model_type', modelType],
    ['config.json', dialect],
    ['computed as', name ?? 'nothing: no row of the registry takes it'],
    ...(facts.tensorNames === undefined ? [] : [['its tensors', listTensors(facts.tensorNames)] as const]),
    ...candidates.map((candidate): Row => ['tried', `${candidate.name}: ${describeCandidate(candidate)}`]),
    ...(shape === undefined
      ? []
      : [
          [
            'shape',
            `${shape.layers} layers, ${shape.hidden} numbers a token, ${shape.vocabulary.toLocaleString('en')} tokens in the vocabulary`,
          ] as const,
        ]),
  ];
}

function listTensors(names: readonly string[]): string {
  return names.slice(0, shownTensors).join(', ') + (names.length > shownTensors ? ', ...' : '');
}

function describeCandidate({ isTaken, asked }: ArchitectureFacts['candidates'][number]): string {
  const tensors = Object.entries(asked).map(([name, isThere]) => `${isThere ? 'has' : 'has no'} ${name}`);
  return `${isTaken ? 'taken' : 'not taken'}${tensors.length === 0 ? ' by config.json' : `; ${tensors.join(', ')}`}`;
}

function textRows({ limits, tokenizer }: Diagnosis): readonly Row[] {
  return [
    ...(limits === undefined
      ? []
      : ([
          ['longest', `${limits.maxTokens} tokens, special ones included`],
          ['of the model', `${limits.ofModel} tokens`],
          ['max_seq_length', limits.declared === null ? 'not declared' : `${limits.declared} declared`],
          [
            'setting',
            limits.configured === null
              ? 'EMBEDDINGS_MAX_INPUT_TOKENS is not set'
              : `EMBEDDINGS_MAX_INPUT_TOKENS=${limits.configured}`,
          ],
          ['token ids', `${limits.tokenIds}: ${tokenIdsMeaning[limits.tokenIds]}`],
        ] as const)),
    ...(tokenizer === undefined
      ? []
      : ([
          ['tokenizer', tokenizer.source],
          [
            'special',
            `${tokenizer.specialTokens} tokens added: ${describePieces(tokenizer.pieces.filter(({ isSpecial }) => isSpecial)) || 'none'}`,
          ],
          ['sample', JSON.stringify(tokenizer.text)],
          ['tokens', `${tokenizer.pieces.length}: ${describePieces(tokenizer.pieces)}`],
        ] as const)),
  ];
}

const tokenIdsMeaning = {
  model: 'of its own tokenizer, used as they are',
  tiktoken: 'of cl100k_base, read as the text they stand for',
  cl100k_base: 'read as the text they stand for',
  o200k_base: 'read as the text they stand for',
  reject: 'requests with token ids are refused',
} as const;

function describePieces(pieces: readonly Piece[]): string {
  const shown = pieces.slice(0, shownPieces).map(({ id, text }) => `${text} ${id}`);
  return shown.join(' | ') + (pieces.length > shownPieces ? ' | ...' : '');
}

function poolingRows(pooling: PoolingFacts | undefined): readonly Row[] {
  if (pooling === undefined) return [];
  const { wanted, used, declared, steps, prompts, defaultPrompt, tasks } = pooling;
  const names = Object.entries(prompts).map(([name, text]) => `${name} ${JSON.stringify(text)}`);
  return [
    ['pooling', `${used}, as pooling=${wanted} asks`],
    ['declared', declared ?? 'none'],
    ['pipeline', steps.length === 0 ? 'none declared' : steps.join(' > ')],
    ['prompts', names.length === 0 ? 'none declared' : names.join(', ')],
    ...(defaultPrompt === null ? [] : [['default', defaultPrompt] as const]),
    ...(tasks.length === 0 ? [] : [['tasks', tasks.join(', ')] as const]),
  ];
}

function machineRows({ resources }: Diagnosis): readonly Row[] {
  if (resources === undefined) return [];
  const { provider, precision, replicas, threads, cores, machineMemoryBytes, memory } = resources;
  return [
    ['device', `${provider}, ${cores} cores, ${formatBytes(machineMemoryBytes)} of memory`],
    ['runners', `${replicas} of ${threads} ${threads === 1 ? 'thread' : 'threads'}`],
    [
      'weights',
      `${formatBytes(memory.weightBytes)} in ${precision}, at most ${formatBytes(memory.allWeightBytes)} for all runners`,
    ],
    [
      'a run',
      `some ${formatBytes(memory.batchBytes)} for a full batch, ${formatBytes(memory.longestBytes)} for the longest text (estimates)`,
    ],
  ];
}

function runRows(run: TrialRun | undefined): readonly Row[] {
  if (run === undefined) return [];
  return [
    ['loaded in', `${run.loadMs.toFixed(0)} ms`],
    ['computed in', `${run.firstMs.toFixed(1)} ms, then ${run.secondMs.toFixed(1)} ms (${run.tokens} tokens)`],
    [
      'vector',
      `${run.dimensions} numbers, length ${run.norm.toFixed(6)}, ${run.isFinite ? 'all finite' : 'NOT ALL FINITE'}`,
    ],
    ['in a batch', `differs from alone by ${run.aloneToBatch.toExponential(1)} at most`],
  ];
}

function comparisonRows(comparison: Comparison | undefined): readonly Row[] {
  if (comparison === undefined) return [];
  const versions = Object.entries(comparison.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ['reference', `${comparison.python}: ${versions.join(', ')}`],
    ['texts', String(comparison.texts)],
    ...comparison.checks.map((check): Row => [check.name, describeCheck(check)]),
  ];
}

function describeCheck({ result, maxAbs, cosine, detail }: Check): string {
  const numbers = maxAbs === undefined ? '' : `, max abs ${maxAbs.toExponential(1)}, cosine ${cosine?.toFixed(9)}`;
  return `${result}${numbers}${detail === undefined ? '' : `: ${detail}`}`;
}
