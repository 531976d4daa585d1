import { settingNames, settings, type SettingName } from '../src/config.ts';

/** What the chart itself decides: where the pod listens, and the files that it mounts. */
export const decidedByTheChart: readonly SettingName[] = ['host', 'port', 'supportedModels', 'hfHubCache'];

/** files/settings.json of the Helm chart: the variable of each setting, and which of them hold secrets. */
export function toChartSettings(): { environment: Record<string, string>; secret: readonly string[] } {
  const names = settableNames();
  const isSecret = (name: SettingName): boolean => 'secret' in settings[name] && settings[name].secret;
  return {
    environment: Object.fromEntries(names.map((name) => [name, settings[name].env])),
    secret: names.filter(isSecret),
  };
}

/** The part of values.schema.json that says which settings there are and what their values look like. */
export function toSettingsSchema(): object {
  const properties = settableNames().map((name) => {
    const { help, placeholder } = settings[name];
    return [name, { ...(shapes[placeholder] ?? shapes['text']), description: help }];
  });
  return {
    type: 'object',
    description: 'Settings of the service; written by `npm run docs` from src/config.ts',
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}

/** By the placeholder of the setting; the service itself reads the text and says what it expected. */
const shapes: Readonly<Record<string, object>> = {
  '': { type: 'boolean' },
  n: { type: 'integer', minimum: 0 },
  share: { type: 'number' },
  list: { type: ['array', 'string'], items: { type: 'string' } },
  size: { type: ['string', 'integer'] },
  time: { type: ['string', 'integer'] },
  text: { type: 'string' },
};

function settableNames(): readonly SettingName[] {
  return settingNames().filter((name) => !decidedByTheChart.includes(name));
}
