import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { startRedisServer, withoutRedis } from '../../../packages/executor/test/redis-server.ts';

const RUNNER = fileURLToPath(new URL('..', import.meta.url));
const MANIFESTS = join(RUNNER, 'kubernetes');
const NIMUE = join(RUNNER, 'bin/nimue.mjs');
/** Within the package, so that the compiler finds the types of Kubernetes. */
mkdirSync(join(RUNNER, 'build'), { recursive: true });
const folder = mkdtempSync(join(RUNNER, 'build', 'kubernetes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: object };
    readonly template?: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly terminationGracePeriodSeconds?: number; readonly containers: readonly Container[] };
    };
  };
}
interface Container {
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly [probe: `${string}Probe`]: { readonly httpGet?: { readonly path: string; readonly port: string } };
}

const manifests: Manifest[] = readdirSync(MANIFESTS).flatMap((name) =>
  parseAllDocuments(readFileSync(join(MANIFESTS, name), 'utf8')).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as Manifest;
  }),
);
const find = (kind: string, name: string) =>
  manifests.find((one) => one.kind === kind && one.metadata.name === name) as Manifest;
const containerOf = ({ spec }: Manifest) => spec?.template?.spec.containers[0] as Container;

/** What the schemas of Kubernetes' API say: values by the validators of kubernetes-models, names of fields by its types. */
async function complaintsAbout(checked: readonly Manifest[]): Promise<string[]> {
  const complaints: string[] = [];
  const lines: string[] = [];
  for (const [i, { apiVersion, kind, ...rest }] of checked.entries()) {
    const models = (await import(`kubernetes-models/${apiVersion}`)) as Record<
      string,
      new (
        data: object,
      ) => { validate(): void }
    >;
    try {
      new models[kind]({ apiVersion, kind, ...rest }).validate();
    } catch (error) {
      complaints.push((error as Error).message);
    }
    lines.push(
      `import type { I${kind} as Kind${i} } from 'kubernetes-models/${apiVersion}';`,
      `export const manifest${i}: Kind${i} = ${JSON.stringify({ apiVersion, kind, ...rest })};`,
    );
  }
  const file = join(folder, 'manifests.ts');
  writeFileSync(file, lines.join('\n'));
  const tsc = join(RUNNER, '../../node_modules/.bin/tsc');
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
  const { stdout, status } = spawnSync(tsc, [...options, file], { encoding: 'utf8' });
  if (status !== 0) complaints.push(...stdout.split('\n').filter((line) => line.includes('error')));
  return complaints;
}

test('the manifests are as the schemas of Kubernetes want them; what is not is noticed', async () => {
  expect(manifests.map(({ kind }) => kind).sort()).toEqual(
    ['ConfigMap', 'Deployment', 'Job', 'PersistentVolumeClaim', 'Service', 'StatefulSet'].sort(),
  );
  expect(await complaintsAbout(manifests)).toEqual([]);
  const text = JSON.stringify(find('Deployment', 'nimue-worker'));
  const wrong = [text.replace('livenessProbe', 'livenesProbe'), text.replace('"replicas":4', '"replicas":"4"')];
  for (const one of wrong) expect(await complaintsAbout([JSON.parse(one)])).not.toEqual([]);
});

test('names and commands agree: labels, volumes, options of nimue, the experiment', () => {
  for (const { spec } of manifests) {
    if (spec?.selector?.matchLabels) expect(spec.template?.metadata.labels).toEqual(spec.selector.matchLabels);
  }
  const nimue = (...args: string[]) => spawnSync(process.execPath, [NIMUE, ...args], { encoding: 'utf8' });
  for (const manifest of [find('Deployment', 'nimue-worker'), find('Job', 'nimue-sweep')]) {
    const { args } = containerOf(manifest);
    const help = nimue(args[0], '--help').stdout;
    for (const option of args.filter((arg) => arg.startsWith('--'))) expect(help).toContain(option.split('=')[0]);
  }
  const worker = find('Deployment', 'nimue-worker');
  const grace = containerOf(worker).args.find((arg) => arg.startsWith('--grace-seconds='));
  expect(worker.spec?.template?.spec.terminationGracePeriodSeconds).toBeGreaterThan(Number(grace?.split('=')[1]));
  const experiment = join(folder, 'sweep.yaml');
  writeFileSync(experiment, find('ConfigMap', 'nimue-sweep').data?.['sweep.yaml'] ?? '');
  expect(nimue('explain', experiment)).toMatchObject({ status: 0, stderr: '' });
});

(withoutRedis ? test.skip : test)(
  'the worker of the manifest answers its probes',
  async () => {
    const redis = await startRedisServer();
    const { args, env, ports, ...container } = containerOf(find('Deployment', 'nimue-worker'));
    const port = 20_000 + ((process.pid + 7) % 20_000);
    expect(args).toContain(`--health-port=${ports?.[0].containerPort}`);
    expect(env?.[0].name).toBe('NIMUE_REDIS');
    const here = args
      .filter((arg) => !/^--(cache|health-port)=/.test(arg))
      .concat(`--cache=${mkdtempSync(join(tmpdir(), 'nimue-cache-'))}`, `--health-port=${port}`);
    const child = spawn(process.execPath, [NIMUE, ...here], {
      env: { ...process.env, NIMUE_REDIS: redis.url },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    try {
      const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
      for (const probe of probes) {
        const path = container[probe].httpGet?.path;
        const ask = () =>
          fetch(`http://127.0.0.1:${port}${path}`).then(
            ({ status }) => status,
            () => 0,
          );
        while (child.exitCode === null && (await ask()) !== 200) await sleep(100);
        expect([probe, child.exitCode]).toEqual([probe, null]);
      }
      child.kill('SIGTERM');
      expect((await ended)[0]).toBe(0);
    } finally {
      child.kill('SIGKILL');
      await redis.remove();
    }
  },
  60_000,
);
