import {
  loadConfig,
  settingNames,
  settings,
  toFlag,
  type ConfigInput,
  type LoadedConfig,
  type SettingName,
} from '../config.ts';
import type { CliContext } from './context.ts';
import { formatTable } from './table.ts';
import { warnOfUnknown } from './unknown-variables.ts';
import { writeOut } from './write-out.ts';

export interface ConfigOptions {
  readonly flags: NonNullable<ConfigInput['flags']>;
  readonly json: boolean;
}

/** Prints each setting with its value and where that came from. */
export async function printConfig({ flags, json }: ConfigOptions, context: CliContext): Promise<void> {
  const loaded = loadConfig({ ...context, flags });
  await warnOfUnknown(loaded.unknown, context.stderr);
  await writeOut(context.stdout, json ? toJson(loaded) : toText(loaded));
}

function toJson(loaded: LoadedConfig): string {
  const rows = settingNames().map((name) => ({
    name,
    variable: settings[name].env,
    flag: toFlag(name),
    value: isSecret(name) ? showValue(name, loaded) : (loaded.config[name] ?? null),
    source: loaded.sources[name],
  }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

function toText(loaded: LoadedConfig): string {
  const rows = settingNames().map((name) => [
    settings[name].env,
    showValue(name, loaded),
    loaded.sources[name],
    toFlag(name),
  ]);
  return formatTable([['VARIABLE', 'VALUE', 'FROM', 'FLAG'], ...rows]);
}

function showValue(name: SettingName, { config, sources }: LoadedConfig): string {
  const value = config[name];
  if (isSecret(name)) return sources[name] === 'default' ? '(not set)' : '(set)';
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(',');
  return value === undefined ? '(not set)' : String(value);
}

function isSecret(name: SettingName): boolean {
  const setting: { readonly secret?: boolean } = settings[name];
  return setting.secret === true;
}
