import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';

const read = (path: string): string => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
const compose = read('docker-compose.yaml');
const deployment = read('deploy/helm/embeddings/templates/deployment.yaml');
const unit = read('deploy/systemd/embeddings.service');
const images = [read('Dockerfile.cpu'), read('Dockerfile.gpu')];

test('nobody is root', () => {
  for (const image of images) expect(image.match(/^USER .*$/gm)).toEqual(['USER 1000']);
  expect(deployment).toMatch(/runAsNonRoot: true\n +runAsUser: 1000\n/);
  expect(unit).toMatch(/^DynamicUser=yes$/m);
  expect(compose).not.toMatch(/^ +user:/m); // that of the image
});

test('the root file system cannot be written, /tmp and the cache can', () => {
  expect(compose).toMatch(/^ {4}read_only: true$/m);
  expect(compose).toMatch(/^ {6}- \/tmp:.*noexec,nosuid,nodev$/m);
  expect(deployment).toContain('readOnlyRootFilesystem: true');
  expect(deployment.match(/mountPath: \S+/g)).toEqual([
    'mountPath: /cache',
    'mountPath: /tmp',
    'mountPath: /etc/embeddings',
  ]);
  expect(unit).toMatch(/^ProtectSystem=strict$/m);
  expect(unit).toMatch(/^PrivateTmp=yes$/m);
});

test('there are no capabilities, none can be gained, and system calls are filtered', () => {
  expect(compose).toMatch(/cap_drop:\n +- ALL\n/);
  expect(compose).toMatch(/^ {6}- no-new-privileges:true$/m);
  expect(compose).not.toMatch(/seccomp[:=]|apparmor[:=]|cap_add|privileged: true|network_mode|pid:|docker\.sock/); // Docker's profiles stay
  expect(deployment).toContain('drop: [ALL]');
  expect(deployment).toContain('allowPrivilegeEscalation: false');
  expect(deployment).toMatch(/seccompProfile:\n +type: RuntimeDefault/);
  expect(deployment).not.toMatch(/privileged: true|hostNetwork|hostPID|hostIPC|hostPath/);
  for (const line of ['CapabilityBoundingSet=', 'NoNewPrivileges=yes', 'SystemCallFilter=@system-service'])
    expect(unit.split('\n')).toContain(line);
});

test('processes are bounded and leave no memory on disk', () => {
  expect(compose).toMatch(/^ {4}pids_limit: \d+$/m);
  expect(compose).toMatch(/ulimits:\n +core: 0\n/);
  expect(unit).toMatch(/^LimitCORE=0$/m);
});

test('a pod holds no token of Kubernetes', () => {
  expect(deployment).toContain('automountServiceAccountToken: false');
  expect(read('deploy/helm/embeddings/templates/serviceaccount.yaml')).toContain('automountServiceAccountToken: false');
});

test('each is asked whether it is alive, and gets longer to stop than the service takes', () => {
  for (const image of images) expect(image).toMatch(/^HEALTHCHECK .*CMD \["node", "deploy\/healthcheck\.mjs"\]$/m);
  expect(compose).toContain('test: ["CMD", "node", "deploy/healthcheck.mjs"]');
  expect(deployment).toMatch(
    /startupProbe:[^]*livenessProbe:\n[^]*path: \/livez\n[^]*readinessProbe:\n[^]*path: \/readyz\n/,
  );
  const { shutdownSeconds } = loadConfig({ env: {}, envFile: 'none' }).config;
  expect(Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1])).toBeGreaterThan(shutdownSeconds);
  expect(Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1])).toBeGreaterThan(shutdownSeconds);
  // The chart adds up the same default.
  expect(read('deploy/helm/embeddings/templates/_helpers.tpl')).toContain(
    `"shutdownSeconds") ${shutdownSeconds} (hasKey`,
  );
});

test('the chart is of the version of the service', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  expect(read('deploy/helm/embeddings/Chart.yaml')).toMatch(new RegExp(`^appVersion: "${version}"$`, 'm'));
});

test('the memory of unloaded models goes back to the system everywhere', () => {
  for (const image of images) expect(image).toContain('MALLOC_MMAP_THRESHOLD_=131072');
  expect(deployment).toMatch(/name: MALLOC_MMAP_THRESHOLD_\n +value: "131072"/);
  expect(unit).toContain('MALLOC_MMAP_THRESHOLD_=131072');
});
