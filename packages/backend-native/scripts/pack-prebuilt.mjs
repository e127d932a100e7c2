// Packs the compiled kernels of one platform as an npm package of their own, @nimue/backend-native-<platform>-<arch>: where
// it is installed, `registerNativeBackend` takes it and no compiler is needed.
//
//   node scripts/pack-prebuilt.mjs [--arch arm64|x64] [--out FOLDER]      prints the path of the .tgz
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const option = (name, otherwise) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise;
const arch = option('--arch', process.arch);
const out = resolve(option('--out', join(root, 'build', 'packages')));
const { version, license, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const build = spawnSync(
  process.execPath,
  [join(root, 'scripts', 'build-addon.mjs'), ...(arch === process.arch ? [] : ['--arch', arch])],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
const binary = join(
  root,
  'build',
  arch === process.arch ? 'release' : `${process.platform}-${arch}`,
  'nimue-native.node',
);
if (build.status !== 0 || !existsSync(binary)) {
  console.error(`pack-prebuilt: no kernels for ${process.platform}-${arch}; run scripts/build-addon.mjs to see why`);
  process.exit(1);
}

const name = `@nimue/backend-native-${process.platform}-${arch}`;
const folder = join(root, 'build', 'prebuilt', `${process.platform}-${arch}`);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
mkdirSync(out, { recursive: true });
copyFileSync(binary, join(folder, 'nimue-native.node'));
copyFileSync(join(root, '..', '..', 'LICENSE'), join(folder, 'LICENSE'));
const manifest = {
  name,
  version,
  description: `The compiled kernels of @nimue/backend-native for ${process.platform} on ${arch}.`,
  license,
  engines,
  os: [process.platform],
  cpu: [arch],
  // Linked against glibc: musl systems compile their own.
  ...(process.platform === 'linux' ? { libc: ['glibc'] } : {}),
  main: 'nimue-native.node',
  files: ['nimue-native.node'],
};
writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(
  join(folder, 'README.md'),
  `# ${name}\n\n${manifest.description} Installed beside it, it serves in place of a compiler; by itself it does nothing.\n`,
);
const pack = spawnSync('npm', ['pack', '--json', '--pack-destination', out, folder], { encoding: 'utf8' });
if (pack.status !== 0) {
  console.error(pack.stderr);
  process.exit(1);
}
const answer = JSON.parse(pack.stdout);
const { filename } = Array.isArray(answer) ? answer[0] : Object.values(answer)[0];
console.log(join(out, filename.replace('@', '').replace('/', '-')));
