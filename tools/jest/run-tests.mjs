// Runs the tests of every package through Nx (cached) and ends with one line of counts over all of them.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';

const roots = ['packages', 'apps'].flatMap((top) => readdirSync(top).map((name) => `${top}/${name}`));
for (const root of roots) rmSync(`${root}/build/test-counts.json`, { force: true });
const run = spawnSync('npx', ['nx', 'run-many', '-t', 'test', '--outputStyle=static', ...process.argv.slice(2)], {
  stdio: 'inherit',
});

const total = { passed: 0, failed: 0, skipped: 0 };
for (const root of roots) {
  const file = `${root}/build/test-counts.json`;
  if (!existsSync(file)) continue;
  const counts = JSON.parse(readFileSync(file, 'utf8'));
  for (const key of Object.keys(total)) total[key] += counts[key];
}
const status = run.status ?? 1;
if (status !== 0 && total.failed === 0) total.failed = 1;
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(status);
