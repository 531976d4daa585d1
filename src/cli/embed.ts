import { createReadStream, statSync } from 'node:fs';
import { loadConfig, type Config, type ConfigInput } from '../config.ts';
import type { Embed, EmbedResult } from '../embed.ts';
import { ServiceError } from '../errors.ts';
import { chunkTexts, type Chunk } from './chunk-texts.ts';
import { CliError } from './cli-error.ts';
import type { CliApp, CliContext } from './context.ts';
import { findDefaultModel } from './default-model.ts';
import { vectorFormats, type OutputFormat } from './format-vectors.ts';
import { mapInOrder } from './map-in-order.ts';
import { Progress } from './progress.ts';
import { readArguments, readTexts, type SourceText } from './read-texts.ts';
import { runStoppable } from './stoppable.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { untilAborted } from './until-aborted.ts';
import { writeOut } from './write-out.ts';

export interface EmbedOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  readonly format: OutputFormat;
  /** A path, or `-` for stdin. */
  readonly file?: string | undefined;
  readonly model?: string | undefined;
  readonly dimensions?: number | undefined;
  readonly promptName?: string | undefined;
  readonly inputType?: string | undefined;
  readonly task?: string | undefined;
}

const requestsInFlight = 4; // keeps every runner busy while rows are written
const maxChunkTexts = 128;
const maxChunkCharacters = 64_000;

/** Embeds texts in requests of bounded size and prints the vectors in order as they come. */
export async function embedTexts(texts: readonly string[], options: EmbedOptions, context: CliContext): Promise<void> {
  const { config, sources, unknown } = loadConfig({ ...context, flags: options.flags });
  await warnOfUnknown(unknown, context.stderr);
  const source = openSource(texts, { options, config, context });
  const model = options.model ?? findDefaultModel(config);
  // Vectors are the output here: without a wish of the user only warnings are worth a line.
  const logger = await context.createLogger({
    level: sources.logLevel === 'default' ? 'warn' : config.logLevel,
    to: 'stderr',
  });
  const createApp = await context.loadCreateApp();
  await runStoppable({ context }, async (stopped) => {
    const ended = new AbortController(); // after a failure the requests in flight are for nobody
    const signal = AbortSignal.any([stopped, ended.signal]);
    const progress = new Progress({ stderr: context.stderr, total: source.total });
    let app: CliApp | undefined;
    try {
      const onProgress = (message: string): void => progress.note(message);
      app = await untilAborted(createApp({ config, logger, onProgress, loadWaitSeconds: Infinity }), signal);
      const { embed } = app;
      const fields = { model, ...requestFields(options) };
      const limits = {
        maxTexts: Math.min(maxChunkTexts, config.maxBatchSize),
        maxCharacters: Math.min(maxChunkCharacters, config.maxRequestTokens / 4),
      };
      const run = async (chunk: Chunk) => ({ chunk, result: await embedChunk(chunk, { embed, fields, signal }) });
      const answers = mapInOrder(chunkTexts(source.texts, limits), { depth: requestsInFlight, run });
      await untilAborted(printAnswers(answers, { format: options.format, model, progress, context }), signal);
    } finally {
      ended.abort();
      progress.stop();
      await app?.close();
    }
  });
}

interface Source {
  readonly texts: AsyncIterable<SourceText>;
  /** In the unit of `bytesRead`: bytes of a file, texts of arguments. */
  readonly total: number | undefined;
}

function openSource(
  texts: readonly string[],
  { options, config, context }: { options: EmbedOptions; config: Config; context: CliContext },
): Source {
  const { file } = options;
  const maxCharacters = config.maxInputCharacters;
  if (texts.length > 0 && file !== undefined) throw new CliError('expected texts or --file, got both', { exitCode: 2 });
  if (texts.length > 0)
    return { texts: readArguments(texts, { source: 'the arguments', maxCharacters }), total: texts.length };
  if (file === undefined && context.stdin.isTTY === true) {
    throw new CliError('expected texts, got none: give them as arguments, with --file, or one a line on stdin', {
      exitCode: 2,
    });
  }
  if (file === undefined || file === '-')
    return { texts: readTexts(context.stdin, { source: 'stdin', maxCharacters }), total: undefined };
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory())
    throw new CliError(
      `expected a text file, got ${file}, which ${stat === undefined ? 'does not exist' : 'is a folder'}`,
    );
  return {
    texts: readTexts(createReadStream(file), { source: file, maxCharacters }),
    total: stat.isFile() ? stat.size : undefined,
  };
}

type EmbedRequest = Parameters<Embed>[0];

/** What the options say about every request. */
function requestFields(options: EmbedOptions): Omit<EmbedRequest, 'model' | 'items'> {
  const { dimensions, promptName, inputType, task } = options;
  return {
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(promptName === undefined ? {} : { promptName }),
    ...(inputType === undefined ? {} : { inputType }),
    ...(task === undefined ? {} : { task }),
  };
}

interface Request {
  readonly embed: CliApp['embed'];
  readonly fields: Omit<EmbedRequest, 'items'>;
  readonly signal: AbortSignal;
}

/** @throws CliError that names the text at fault by its place in the source */
async function embedChunk({ texts }: Chunk, { embed, fields, signal }: Request): Promise<EmbedResult> {
  const items = texts.map(({ text }) => ({ kind: 'text' as const, text }));
  try {
    return await embed({ ...fields, items }, signal);
  } catch (error) {
    throw locateError(error, texts);
  }
}

function locateError(error: unknown, texts: readonly SourceText[]): unknown {
  if (!(error instanceof ServiceError)) return error;
  const index = /^input\[(\d+)\]/.exec(error.details.param ?? '')?.[1];
  const place = index === undefined ? undefined : texts[Number(index)]?.place;
  return place === undefined ? error : new CliError(`${place}: ${error.message}`, { cause: error });
}

interface PrintOptions {
  readonly format: OutputFormat;
  readonly model: string;
  readonly progress: Progress;
  readonly context: CliContext;
}

async function printAnswers(
  answers: AsyncIterable<{ chunk: Chunk; result: EmbedResult }>,
  { format, model, progress, context: { stdout, stderr } }: PrintOptions,
): Promise<void> {
  const { opening, rows, closing } = vectorFormats[format];
  let promptTokens = 0;
  let texts = 0;
  for await (const { chunk, result } of answers) {
    if (texts === 0 && stdout.isTTY === true) progress.stop(); // the vectors themselves are the progress there
    const body = formatRows(result, { rows, chunk });
    if (texts === 0 && opening !== '') await writeOut(stdout, opening);
    await writeOut(stdout, body);
    for (const cut of result.cuts) {
      await writeOut(
        stderr,
        `warning: ${chunk.texts[cut.index]?.place ?? ''} was cut from ${cut.fullTokens} to ${cut.keptTokens} tokens\n`,
      );
    }
    promptTokens += result.promptTokens;
    texts += chunk.texts.length;
    progress.advance({ done: chunk.texts.at(-1)?.bytesRead ?? 0, texts });
  }
  if (texts === 0) throw new CliError('expected at least one text, got an empty source');
  await writeOut(stdout, closing({ model, promptTokens }));
}

function formatRows(
  { vectors }: EmbedResult,
  { rows, chunk }: { rows: (typeof vectorFormats)['json']['rows']; chunk: Chunk },
): Uint8Array {
  try {
    return rows(vectors, chunk.start);
  } catch (error) {
    throw locateError(error, chunk.texts);
  }
}
