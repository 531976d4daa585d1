import type { Command } from 'commander';
import type { CliContext } from './context.ts';
import type { CreateKeyOptions, ListKeysOptions } from './keys.ts';
import { parsePositive } from './parse-positive.ts';
import { addSettingFlags, readSettingFlags, settingsHelp } from './setting-flags.ts';

type Options = Readonly<Record<string, unknown>>;
type Parsed<T> = Options & Omit<T, 'flags'>;

/** Adds `keys create`, `keys list` and `keys revoke`. */
export function addKeysCommands(program: Command, context: CliContext): void {
  const keys = program.command('keys').description('make, list and revoke API keys').addHelpText('after', keysHelp);
  const command = (name: string, description: string): Command =>
    keys
      .command(name)
      .description(description)
      .option('--file <path>', 'the file of keys (default: EMBEDDINGS_API_KEYS_FILE)')
      .addHelpText('after', keysHelp);
  const withFlags = <T extends Options>(options: T) => ({ ...options, flags: readSettingFlags(options) });
  const create = command('create', 'make a key and print it, once')
    .argument('<name>', 'what logs and lists call it')
    .option('--models <list>', 'comma-separated names of models it may use; * stands for any characters (default: all)')
    .option('--expires <when>', 'when it ends: 12h, 90d, 52w or a day such as 2027-01-01 (default: never)')
    .option('--requests-per-minute <n>', "its own limit, instead of the server's", parsePositive)
    .option('--tokens-per-minute <n>', "its own limit, instead of the server's", parsePositive)
    .action(async (name: string, options: Parsed<CreateKeyOptions>) =>
      (await import('./keys.ts')).createKey(name, withFlags(options), context),
    );
  const list = command('list', 'list the keys of the file with their states; hashes are not shown')
    .option('--json', 'print JSON', false)
    .action(async (options: Parsed<ListKeysOptions>) =>
      (await import('./keys.ts')).listKeys(withFlags(options), context),
    );
  const revoke = command('revoke', 'refuse a key from now on; its line stays in the file')
    .argument('<name>', 'the name of the key')
    .action(async (name: string, options: Parsed<Omit<ListKeysOptions, 'json'>>) =>
      (await import('./keys.ts')).revoke(name, withFlags(options), context),
    );
  // Last: `create` has limits of its own, of the same names.
  for (const each of [create, list, revoke]) addSettingFlags(each, { isHidden: true });
}

const keysHelp = `
Only the key itself goes to stdout. The file keeps a hash of it; the service follows the file where
EMBEDDINGS_API_KEYS_FILE names it. Keys of EMBEDDINGS_API_KEYS are not in the file and not listed.
${settingsHelp}

Examples:
  export EMBEDDINGS_API_KEYS_FILE=/etc/embeddings/keys.jsonl
  embeddings keys create search-app --models 'BAAI/*,e5-query' --expires 90d
  KEY=$(embeddings keys create batch --tokens-per-minute 1000000)
  embeddings keys list --json
  embeddings keys revoke search-app

Exit codes: 0 done, 1 failed, 2 wrong usage or a bad setting.`;
