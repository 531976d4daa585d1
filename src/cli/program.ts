import { Command, Option } from 'commander';
import { reportError } from './cli-error.ts';
import { printConfig } from './config.ts';
import type { CliContext } from './context.ts';
import type { DoctorOptions } from './doctor.ts';
import { embedTexts } from './embed.ts';
import { outputFormats, type OutputFormat } from './format-vectors.ts';
import type { GraphOptions } from './graph.ts';
import { addKeysCommands } from './keys-commands.ts';
import { parsePositive } from './parse-positive.ts';
import { serve } from './serve.ts';
import { addSettingFlags, readSettingFlags, settingsHelp } from './setting-flags.ts';
import { addStoreCommands } from './store-commands.ts';
import { readVersion } from '../util/version.ts';

/** Runs one command line and gives its exit code: 0, 1 for a failure, 2 for wrong usage or bad settings. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  // A closed pipe also comes as an event; the write that met it rejects, which is where it is handled.
  context.stdout.on('error', () => {});
  context.stderr.on('error', () => {});
  let exitCode = 0;
  const program = createProgram(context, (code) => (exitCode = code));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    const report = reportError(error, { isVerbose: /^(debug|trace)$/.test(context.env['EMBEDDINGS_LOG_LEVEL'] ?? '') });
    context.stderr.write(report.text);
    return report.exitCode;
  }
}

function createProgram(context: CliContext, exitWith: (code: number) => void): Command {
  const program = new Command('embeddings')
    .description('Text embeddings from local Hugging Face models behind the OpenAI API.')
    .version(readVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.stdout.write(text), writeErr: (text) => context.stderr.write(text) })
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', programHelp);
  addSettingFlags(program.command('serve').description('serve the API over HTTP'))
    .addHelpText('after', serveHelp)
    .action(async (options: Options) => exitWith(await serve({ flags: readSettingFlags(options) }, context)));
  addSettingFlags(program.command('embed'), { isHidden: true })
    .description('embed texts from arguments, a file or stdin (one text a line)')
    .argument('[texts...]', 'texts to embed; put them behind -- where one starts with a dash')
    .option('-f, --file <path>', 'read texts from a file, one a line; - is stdin')
    .option('-m, --model <name>', 'model of the allowlist (default: the first that is bundled or in the models folder)')
    .addOption(
      new Option('--format <name>', 'json: one API object; base64: one vector a line; ndjson: one object a line')
        .choices(outputFormats)
        .default('json'),
    )
    .option('-d, --dimensions <n>', 'keep only the first n numbers of each vector', parsePositive)
    .option('--prompt-name <name>', "put the prompt of that name before each text, one of the model's own")
    .option('--input-type <name>', 'what the texts are: query, document or another name the model knows')
    .option('--task <name>', 'what the vectors are for: an adapter, route or prompt of the model')
    .addHelpText('after', embedHelp)
    .action((texts: string[], options: EmbedFlags) =>
      embedTexts(texts, { ...options, flags: readSettingFlags(options) }, context),
    );
  addStoreCommands(program, context, exitWith);
  addKeysCommands(program, context);
  addSettingFlags(program.command('config'), { isHidden: true })
    .description('print every setting, its value and where that came from')
    .option('--json', 'print JSON', false)
    .addHelpText('after', settingsHelp)
    .action((options: JsonFlags) => printConfig({ json: options.json, flags: readSettingFlags(options) }, context));
  program
    .command('graph')
    .description('print the graph a model is compiled to, or the value of one of its nodes')
    .argument('<model>', modelArgument)
    .option('--nodes', 'print only the nodes', false)
    .option('--stop-after <node>', 'run up to this node, by number or name, and print its value')
    .option('--text <text>', 'text to run on; give it again for a batch', collect)
    .addOption(
      new Option('--pooling <name>', "how token vectors become one; model follows the model's own files")
        .choices(['mean', 'cls', 'max', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken', 'model'])
        .default('mean'),
    )
    .addOption(new Option('--provider <name>', 'whose fused operators to use').choices(['cpu', 'cuda']).default('cpu'))
    .option('--json', 'print the value as JSON, whole', false)
    .addHelpText('after', graphHelp)
    .action(async (model: string, options: GraphOptions) =>
      (await import('./graph.ts')).inspectGraph(model, options, context),
    );
  addSettingFlags(program.command('doctor'), { isHidden: true })
    .description('explain how a model would run here, and try it')
    .argument('<model>', modelArgument)
    .option('--text <text>', 'text whose tokens are shown and which is embedded; again for more to compare', collect)
    .option('--no-run', 'do not embed a text')
    .option('--compare', 'compare tokens and vectors with sentence-transformers on the same files', false)
    .option('--python <path>', 'the Python that has it (default: python3); implies --compare')
    .option('--json', 'print everything as JSON', false)
    .addHelpText('after', doctorHelp)
    .action(async (model: string, options: Options & DoctorOptions) => {
      const { examineModel } = await import('./doctor.ts');
      exitWith(await examineModel(model, { ...options, flags: readSettingFlags(options) }, context));
    });
  return program;
}

const modelArgument = 'a model folder, a name of the allowlist or a Hugging Face id with its files on this machine';

function collect(text: string, texts: readonly string[] | undefined): readonly string[] {
  return [...(texts ?? []), text];
}

type Options = Readonly<Record<string, unknown>>;
type JsonFlags = Options & { readonly json: boolean };
type EmbedFlags = Options & {
  readonly format: OutputFormat;
  readonly file?: string;
  readonly model?: string;
  readonly dimensions?: number;
  readonly promptName?: string;
  readonly inputType?: string;
  readonly task?: string;
};

const graphHelp = `
Examples:
  embeddings graph sentence-transformers/all-MiniLM-L6-v2
  embeddings graph ./my-model --nodes
  embeddings graph ./my-model --stop-after embeddings --text "some text" --json`;

const doctorHelp = `
It prints where the files were found, what the weights are, which architecture computes them and why, how long a text
may be, its tokens, the pooling used and declared, the runners and memory it would take, and what is not verified: all
that the model's files declare and that is not followed. Then it embeds a text, alone and in a batch. The last lines are
the verdict, with what to do where something is wrong.

--compare asks a Python that has sentence-transformers for tokens, mean-pooled vectors and the vectors of the model's own
pipeline, offline and without running code of the model. They pass within 2e-5. Nothing is installed.
${settingsHelp}

Examples:
  embeddings doctor sentence-transformers/all-MiniLM-L6-v2
  embeddings doctor ./my-model --text "some text" --pooling model
  embeddings doctor ./my-model --compare --python ~/venv/bin/python
  embeddings doctor BAAI/bge-m3 --no-run --json

Exit codes: 0 fine, 1 would not run or differs, 2 wrong usage or a bad setting.`;

const programHelp = `
Examples:
  embeddings serve                          serve on http://localhost:11445
  embeddings embed "some text"              print its vector as the API would
  embeddings embed --file notes.txt --format ndjson > vectors.ndjson
  embeddings pull BAAI/bge-m3               download a model
  embeddings models                         which models are on this machine
  embeddings export --output models.tar     all of them in one file, for \`embeddings import\` elsewhere
  embeddings doctor BAAI/bge-m3             how a model would run, and whether it does
  embeddings keys create search-app         make an API key
  embeddings config                         every setting and where it came from

Exit codes: 0 done, 1 failed, 2 wrong usage or a bad setting.`;

const serveHelp = `
A flag wins over its environment variable, which wins over the .env file in the working folder.
Keys and tokens are safer in the environment: other users of this machine can see flags.

Examples:
  embeddings serve --port 8080 --host 0.0.0.0
  embeddings serve --models-dir ~/models --preload BAAI/bge-small-en-v1.5
  EMBEDDINGS_TRUNCATE_INPUTS=true embeddings serve`;

const embedHelp = `
Examples:
  embeddings embed "first text" "second text"
  printf 'first\\nsecond\\n' | embeddings embed --format base64
  embeddings embed --file texts.txt --model BAAI/bge-small-en-v1.5 --dimensions 128
  embeddings embed --model Qwen/Qwen3-Embedding-0.6B --input-type query "what is a cat?"
${settingsHelp}`;
