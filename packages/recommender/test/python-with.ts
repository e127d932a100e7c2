import { spawnSync } from 'node:child_process';

/** The first of NIMUE_PYTHON and python3 that has the modules; undefined when neither has. */
export function pythonWith(...modules: string[]): string | undefined {
  const program = modules.map((name) => `import ${name}`).join('\n');
  const candidates = [process.env.NIMUE_PYTHON ?? 'python3', 'python3'];
  return candidates.find((python) => spawnSync(python, ['-c', program]).status === 0);
}
