import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url));

/** What a user of the package alone would write, and what it prints. */
const PROGRAMS: Readonly<Record<string, readonly [program: string, printed: string]>> = {
  metrics: [
    `import { ndcgAtK } from '@nimue/metrics';
     console.log([...ndcgAtK([1, 3, 4], 3)].join(' '));`,
    '1 0.5 0',
  ],
  losses: [
    `import * as tf from '@tensorflow/tfjs';
     import { losses } from '@nimue/losses';
     tf.enableProdMode();
     await tf.setBackend('cpu');
     const loss = losses.crossEntropy.create(losses.crossEntropy.configSchema.parse({}));
     const value = loss({ hidden: tf.zeros([1, 2]), itemTable: tf.zeros([7, 2]), targetIds: Int32Array.of(4) });
     console.log(value.dataSync()[0].toFixed(4));`,
    // Four items beside the three reserved ids, all alike: -log(1/4).
    '1.3863',
  ],
  models: [
    `import { models } from '@nimue/models';
     const model = models.popularity.create({ over: 'all' }, { numRows: 6, seed: 1 });
     model.fitWindow({ itemIds: Int32Array.of(3, 4, 4), offsets: Int32Array.of(0, 3) });
     const batch = { itemIds: Int32Array.of(3), offsets: Int32Array.of(0, 1), features: {},
       targets: { positions: Int32Array.of(0), itemIds: Int32Array.of(3) } };
     console.log(String(model.rankTargets(batch)[0]));`,
    '2',
  ],
  data: [
    `import { datasetFromSessions } from '@nimue/data';
     const at = (day) => Date.UTC(2024, 0, day);
     const dataset = datasetFromSessions([
       { items: ['a', 'b'], timestampsMs: [at(1), at(1)] }, { items: ['b', 'c'], timestampsMs: [at(2), at(2)] }]);
     console.log(dataset.windows.map(({ id }) => id).join(' '), String(dataset.numRawItems));`,
    '2024-01-01 2024-01-02 3',
  ],
};

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

let folder = '';
const tarballs = new Map<string, string>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-packages-'));
  const names = new Set(Object.keys(PROGRAMS).flatMap((name) => [name, ...workspaceDependencies(name)]));
  const paths = [...names].map((name) => join(WORKSPACE, 'packages', name));
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...paths], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for (const { name, filename } of JSON.parse(output) as { name: string; filename: string }[]) {
    tarballs.set(name, join(folder, filename));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(Object.keys(PROGRAMS))(
  '%s works on its own, installed from its tarball into an empty folder',
  (name) => {
    const [program, printed] = PROGRAMS[name];
    const project = join(folder, name);
    installInto(project, name);
    writeFileSync(join(project, 'program.mjs'), program);
    const { stdout, stderr } = spawnSync(process.execPath, ['program.mjs'], { cwd: project, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe(`${printed}\n`);
  },
  300_000,
);

test('tarballs hold what was built, and neither sources nor tests', () => {
  for (const tarball of tarballs.values()) {
    const names = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
    expect(names).toContain('package/dist/index.js');
    expect(names).toContain('package/dist/index.d.ts');
    expect(names.filter((name) => /\.test\.|\.map$|^package\/src\//.test(name))).toEqual([]);
  }
});

/**
 * `npm install` of the package's tarball and those of the workspace packages it depends on, into an empty folder, as a
 * user would; third-party packages come from the registry or npm's cache.
 */
function installInto(project: string, name: string): void {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const files = [name, ...workspaceDependencies(name)].map((part) => tarballs.get(`@nimue/${part}`) ?? '');
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-progress', ...files], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** All of them, also those of dependencies. */
function workspaceDependencies(name: string): string[] {
  const own = Object.keys(manifestOf(name).dependencies ?? {}).filter((dependency) => dependency.startsWith('@nimue/'));
  return [
    ...new Set(own.flatMap((dependency) => [dependency.slice(7), ...workspaceDependencies(dependency.slice(7))])),
  ];
}

function manifestOf(name: string): Manifest {
  return JSON.parse(readFileSync(join(WORKSPACE, 'packages', name, 'package.json'), 'utf8')) as Manifest;
}
