import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { ExportOptions } from './export.ts';
import type { PullOptions } from './pull.ts';
import type { RmOptions } from './rm.ts';
import { addSettingFlags, readSettingFlags, settingsHelp } from './setting-flags.ts';

type Options = Readonly<Record<string, unknown>>;
type Parsed<T> = Options & Omit<T, 'flags'>;
type JsonFlags = Parsed<{ readonly json: boolean }>;

/** Adds the commands about the files of models: what gets them here, shows, checks, carries and removes them. */
export function addStoreCommands(program: Command, context: CliContext, exitWith: (code: number) => void): void {
  const command = (name: string, description: string): Command =>
    addSettingFlags(program.command(name).description(description), { isHidden: true });
  const withFlags = <T extends Options>(options: T) => ({ ...options, flags: readSettingFlags(options) });
  command('pull', 'download models into the Hugging Face cache')
    .argument('[models...]', modelsArgument)
    .option('--all', 'every model of the allowlist', false)
    .option('--lock', 'write the commit and the checksum of every file to the lock file', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', pullHelp)
    .action(async (models: string[], options: Parsed<PullOptions>) =>
      exitWith(await (await import('./pull.ts')).pullModels(models, withFlags(options), context)),
    );
  command('models', 'list the allowed models, where their files are and what they take of the disk')
    .option('--json', 'print JSON', false)
    .addHelpText('after', modelsHelp)
    .action(async (options: JsonFlags) => (await import('./models.ts')).printModels(withFlags(options), context));
  command('verify', 'read every file of models and compare checksums')
    .argument('[models...]', `${modelsArgument}; none: the models of the allowlist that are here`)
    .option('--json', 'print JSON', false)
    .addHelpText('after', verifyHelp)
    .action(async (models: string[], options: JsonFlags) =>
      exitWith(await (await import('./verify.ts')).verifyModels(models, withFlags(options), context)),
    );
  command('export', 'write models into one tar file, for a machine without a network')
    .argument('[models...]', `${modelsArgument}; none: the models of the allowlist that are here`)
    .requiredOption('-o, --output <path>', 'the file to write; - is stdout')
    .option('--force', 'replace a file that is there', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', exportHelp)
    .action(async (models: string[], options: Parsed<ExportOptions>) =>
      (await import('./export.ts')).exportModels(models, withFlags(options), context),
    );
  command('import', 'take the models of an archive into the Hugging Face cache and the models folder')
    .argument('<archive>', 'a file that `embeddings export` wrote; - is stdin')
    .option('--json', 'print JSON', false)
    .addHelpText('after', importHelp)
    .action(async (archive: string, options: JsonFlags) =>
      (await import('./import.ts')).importArchive(archive, withFlags(options), context),
    );
  command('rm', 'delete models from the Hugging Face cache')
    .argument('<models...>', modelsArgument)
    .option('--dry-run', 'only say what would go', false)
    .option('--json', 'print JSON', false)
    .addHelpText('after', rmHelp)
    .action(async (models: string[], options: Parsed<RmOptions>) =>
      exitWith(await (await import('./rm.ts')).removeModels(models, withFlags(options), context)),
    );
}

const modelsArgument = 'names of the allowlist or Hugging Face ids, each perhaps with @revision';

const pullHelp = `
What is here already is not fetched again: a pull that was stopped goes on where it ended, and a model in the cache stays
at its commit and gets the files it lacks, where the hub can be asked. A model that fails holds up no other. Models of the
lock file are fetched at its commit, and files that differ are refused. --lock locks the models named to what is here, or
to what the hub has now. For a newer commit of one that is here: rm it first.
${settingsHelp}

Examples:
  embeddings pull BAAI/bge-small-en-v1.5
  embeddings pull BAAI/bge-m3@main intfloat/e5-small-v2
  embeddings pull --all --lock
  HF_TOKEN=hf_... embeddings pull google/embeddinggemma-300m --json

Exit codes: 0 all are here, 1 one failed, 2 wrong usage or a bad setting, 130 stopped by Ctrl-C.`;

const modelsHelp = `
SIZE is that of the files in use, IN CACHE what the repository takes there with all its revisions and downloads that are
not finished. The last line also counts what imports that run, or were killed, hold. LOCKED models are held to the commit
and the checksums of the lock file.
${settingsHelp}

Examples:
  embeddings models
  embeddings models --json | jq -r '.[] | select(.state == "not downloaded") | .name'`;

const verifyHelp = `
Files of the Hugging Face cache are compared with their own names, which are checksums, and files of any place with the
lock file where it has the model; files that would be computed from and are not in it are wrong too. Of plain folders
without a lock only the length of the weights is checked.
${settingsHelp}

Examples:
  embeddings verify
  embeddings verify BAAI/bge-m3 --json

Exit codes: 0 fine, 1 something is corrupt or missing, 2 wrong usage or a bad setting.`;

const exportHelp = `
The archive is plain tar in the layout of the Hugging Face cache, so that it is of use without this program too:
  tar -xf models.tar -C ~/.cache/huggingface/hub --exclude embeddings-manifest.json
Only the revision in use of each model is in it. The same models give the same bytes. Plain folders of models go in as
<org>/<name>/.
${settingsHelp}

Examples:
  embeddings export BAAI/bge-m3 --output bge-m3.tar
  embeddings export --output models.tar
  embeddings export BAAI/bge-m3 --output - | ssh inside embeddings import -`;

const importHelp = `
Every file is compared with its checksum before anything appears: an archive is taken whole or not at all, and nothing in
it can write elsewhere. What is here already stays, and broken files are mended. What a killed import left goes with the
next one. Plain folders need --models-dir.
${settingsHelp}

Examples:
  embeddings import models.tar
  embeddings import models.tar --models-dir /srv/models --json
  zstdcat models.tar.zst | embeddings import -`;

const rmHelp = `
Without @revision every revision goes. Files that another revision shares stay. Folders of EMBEDDINGS_MODELS_DIR and the
bundled model are never touched.
${settingsHelp}

Examples:
  embeddings rm BAAI/bge-m3 --dry-run
  embeddings rm BAAI/bge-m3@main

Exit codes: 0 removed, 1 one was not in the cache, 2 wrong usage or a bad setting.`;
