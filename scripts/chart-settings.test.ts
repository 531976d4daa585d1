import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingNames, settings } from '../src/config.ts';
import { decidedByTheChart, toChartSettings, toSettingsSchema } from './chart-settings.ts';

const root = join(import.meta.dirname, '..');
const chart = join(root, 'deploy/helm/embeddings');
const alerts = join(root, 'deploy/prometheus/alerts.yaml');

test('the chart knows every setting by its variable; `npm run docs` writes its list', async () => {
  await expect(toJson(toChartSettings())).toMatchFileSnapshot(join(chart, 'files/settings.json'));
});

test('values.schema.json has the settings of src/config.ts and no others; `npm run docs` writes them', async () => {
  const path = join(chart, 'values.schema.json');
  const schema = JSON.parse(readFileSync(path, 'utf8')) as { properties: Record<string, object> };
  schema.properties['settings'] = toSettingsSchema();
  await expect(toJson(schema)).toMatchFileSnapshot(path);
});

test('a setting is either settable or decided by the chart, and secrets are known as such', () => {
  const { environment, secret } = toChartSettings();
  expect(new Set([...Object.keys(environment), ...decidedByTheChart])).toEqual(new Set(settingNames()));
  expect(Object.keys(environment).filter((name) => decidedByTheChart.some((other) => other === name))).toEqual([]);
  expect(secret).toEqual(expect.arrayContaining(['apiKeys', 'hfToken', 'httpsProxy']));
  expect(secret).not.toContain('maxBatchSize');
  expect(environment['maxBatchSize']).toBe(settings.maxBatchSize.env);
});

test.skipIf(!existsSync(alerts))('the alerts of the chart are those of deploy/prometheus', async () => {
  await expect(readFileSync(alerts, 'utf8')).toMatchFileSnapshot(join(chart, 'files/alerts.yaml'));
});

function toJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
