import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toDashboard } from './grafana-dashboard.ts';

test('deploy/grafana/embeddings.json is what the script says; `npm run docs` writes it', async () => {
  await expect(toDashboard()).toMatchFileSnapshot(join(import.meta.dirname, '../deploy/grafana/embeddings.json'));
});
