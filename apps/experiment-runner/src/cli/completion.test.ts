import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { completionScript } from './completion.ts';
import { createProgram } from './program.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimue-completion-'));
  mkdirSync(join(folder, 'runs'));
  for (const name of ['shop.yaml', 'other.yml', 'clicks.csv']) writeFileSync(join(folder, name), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash itself offers for the last of the words. */
function offered(...words: string[]): string[] {
  const line = ['nimue', ...words].map((word) => `'${word}'`).join(' ');
  const script = `${completionScript(createProgram(), 'bash')}
COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _nimue; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter(Boolean).sort();
}

describe('in bash', () => {
  test('commands, and those within data', () => {
    expect(offered('re')).toEqual(['recommend', 'report', 'resume']);
    expect(offered('cell')).toEqual([]);
    expect(offered('data', '')).toEqual(['--help', 'describe', 'fetch', 'prepare']);
    expect(offered('data', 'de')).toEqual(['describe']);
  });

  test("a command's options, and those of a command within another", () => {
    expect(offered('run', '--')).toEqual(['--backend', '--help', '--json', '--out', '--prepared', '--set']);
    expect(offered('run', 'shop.yaml', '--p')).toEqual(['--prepared']);
    expect(offered('data', 'describe', '--g')).toEqual(['--gap']);
    expect(offered('backend', 'install', '--w')).toEqual(['--wheel']);
  });

  test('values of options', () => {
    expect(offered('run', '--backend', 'w')).toEqual(['wasm']);
    expect(offered('export', 'runs', '--format', '')).toEqual(['onnx', 'safetensors', 'tfjs', 'triton']);
    expect(offered('run', '--out', '')).toEqual(['runs']);
    expect(offered('recommend', 'runs', '--in', 'c')).toEqual(['clicks.csv']);
    // Nothing can be known of what may follow.
    expect(offered('run', '--set', '')).toEqual([]);
    expect(offered('completion', '')).toEqual(['bash', 'fish', 'zsh']);
    expect(offered('backend', 'install', '')).toEqual(['tensorflow']);
  });

  test('experiment files where they go, folders of runs and logs where they go', () => {
    expect(offered('run', '')).toEqual(['other.yml', 'runs', 'shop.yaml']);
    expect(offered('sweep', 'shop.yaml', 'o')).toEqual(['other.yml']);
    expect(offered('explain', '--json', 's')).toEqual(['shop.yaml']);
    expect(offered('resume', '')).toEqual(['runs']);
    expect(offered('init', '')).toEqual(['clicks.csv', 'other.yml', 'runs', 'shop.yaml']);
  });
});

test('in fish: options only within their command', () => {
  const lines = completionScript(createProgram(), 'fish').split('\n');
  expect(lines).toContain(
    "complete -c nimue -n '__fish_use_subcommand' -f -a doctor -d 'show which backends load on this machine, and why the others do not'",
  );
  const within = "complete -c nimue -n '__fish_seen_subcommand_from data; and __fish_seen_subcommand_from describe'";
  expect(lines.filter((line) => line.startsWith(`${within} -l gap`))).toEqual([
    `${within} -l gap -x -d 'longest pause within a user\\'s session, or none'`,
  ]);
  expect(lines.join('\n')).not.toContain('cell-process');
});

for (const [shell, args] of [
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
] as const) {
  const isThere = spawnSync(shell, ['--version']).status === 0;
  (isThere ? test : test.skip)(
    `the script for ${shell} can be read by ${shell}${isThere ? '' : ` (skipped: no ${shell})`}`,
    () => {
      const file = join(folder, `script.${shell}`);
      writeFileSync(file, completionScript(createProgram(), shell));
      expect(spawnSync(shell, [...args, file], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    },
  );
}
