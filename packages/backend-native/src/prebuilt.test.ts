import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const script = fileURLToPath(new URL('../scripts/pack-prebuilt.mjs', import.meta.url));
const sources = fileURLToPath(new URL('./native-addon.ts', import.meta.url));
const name = `@nimue/backend-native-${process.platform}-${process.arch}`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-prebuilt-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** `loadNativeAddon` of a copy beside which the given package is installed, with no compiled addon in reach. */
function load(): { stdout: string; stderr: string } {
  const copy = join(folder, 'app', 'src');
  mkdirSync(copy, { recursive: true });
  // Types go with the space they take, so that plain Node reads the module.
  const program = `import { transformSync } from ${JSON.stringify(pathToFileURL(require_('@swc/core')).href)};
    import { readFileSync, writeFileSync } from 'node:fs';
    const { code } = transformSync(readFileSync(${JSON.stringify(sources)}, 'utf8'),
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' } });
    writeFileSync(${JSON.stringify(join(copy, 'native-addon.mjs'))}, code);
    const { loadNativeAddon } = await import(${JSON.stringify(pathToFileURL(join(copy, 'native-addon.mjs')).href)});
    const loaded = loadNativeAddon();
    console.log(loaded.reason ?? loaded.addon.instructionSets().join(' '));`;
  const { NIMUE_NATIVE_ADDON: _, ...env } = process.env;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', env });
}

const require_ = (module: string) =>
  execFileSync(process.execPath, ['--print', `require.resolve(${JSON.stringify(module)})`], {
    encoding: 'utf8',
  }).trim();

function install(tarball: string): void {
  const modules = join(folder, 'app', 'node_modules', ...name.split('/'));
  mkdirSync(modules, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', modules, '--strip-components=1']);
}

test('the compiled kernels as a package of their own: named by platform, holding the binary, taken in place of a compiler', () => {
  const tarball = execFileSync(process.execPath, [script, '--out', folder], { encoding: 'utf8' }).trim();
  expect(load().stdout).toContain('the native kernels are not built; apt-get install g++');
  install(tarball);
  const packed = join(folder, 'app', 'node_modules', ...name.split('/'));
  expect(JSON.parse(readFileSync(join(packed, 'package.json'), 'utf8'))).toMatchObject({
    name,
    os: [process.platform],
    cpu: [process.arch],
    main: 'nimue-native.node',
  });
  const { stdout, stderr } = load();
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^(avx512 )?(avx2 )?sse2\n$|^neon\n$/);
}, 120_000);

test('a prebuilt package that does not load is named, and nothing is taken in its place', () => {
  const modules = join(folder, 'app', 'node_modules', ...name.split('/'));
  mkdirSync(modules, { recursive: true });
  writeFileSync(join(modules, 'package.json'), JSON.stringify({ name, version: '0.1.0', main: 'nimue-native.node' }));
  writeFileSync(join(modules, 'nimue-native.node'), 'not a library');
  expect(load().stdout).toContain(`${name} does not load: `);
});
