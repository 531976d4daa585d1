import { Option, type Command } from 'commander';
import { settingNames, settings, toFlag, type ConfigInput, type SettingName } from '../config.ts';

/** Adds every setting as a flag, but those that the command has for itself; hidden ones work too but do not fill the help. */
export function addSettingFlags(command: Command, { isHidden = false }: { readonly isHidden?: boolean } = {}): Command {
  for (const name of settingNames()) {
    if (command.options.some(({ long }) => long === toFlag(name))) continue;
    const { help, env, placeholder } = settings[name];
    // A switch may stand alone or carry its value as `--switch=false`.
    const value = placeholder === '' ? '[true|false]' : `<${placeholder}>`;
    const option = new Option(`${toFlag(name)} ${value}`, `${help} (${env}, default: ${describeDefault(name)})`);
    command.addOption((placeholder === '' ? option.preset('true') : option).helpGroup('Settings:').hideHelp(isHidden));
  }
  return command;
}

/** Ends the help of commands whose setting flags are hidden. */
export const settingsHelp = `
Every setting is a flag here too: see \`embeddings serve --help\`.`;

/** The values of the setting flags among the parsed options. */
export function readSettingFlags(options: Readonly<Record<string, unknown>>): NonNullable<ConfigInput['flags']> {
  const flags: Partial<Record<SettingName, string>> = {};
  for (const name of settingNames()) {
    const value = options[name];
    if (typeof value === 'string') flags[name] = value;
  }
  return flags;
}

interface Shown {
  readonly fallback: string | number | boolean | readonly string[] | undefined;
  readonly fallbackText?: string;
}

/** The default of a setting as the help and the documentation print it. */
export function describeDefault(name: SettingName): string {
  const { fallback, fallbackText } = settings[name] as Shown; // one type for all rows
  if (fallbackText !== undefined) return fallbackText;
  if (typeof fallback === 'object') return fallback.length === 0 ? 'none' : fallback.join(',');
  return fallback === undefined ? 'not set' : String(fallback);
}
