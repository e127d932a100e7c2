import { readFileSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { InputError } from '../input-error.ts';
import { EXIT } from './exit-codes.ts';

const EXAMPLES = `
Examples:
  nimue run apps/experiment-runner/experiments/quickstart.yaml
  nimue run quickstart.yaml --set training.epochs=1 --set models.1.hiddenSize=32
  nimue run globo-first-48-hours.yaml --backend wasm --out results
  nimue run quickstart.yaml --json > result.json
  nimue doctor

Exit codes: 0 done, 1 failed while running, 2 command line, experiment file or data are at fault, 130 stopped by Ctrl-C`;

/** Reads the command line and runs the command; nothing that is not needed is loaded. */
export async function main(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.input;
    return reportError(error);
  }
}

function createProgram(): Command {
  const program = new Command('nimue')
    .description('Session-based and sequential recommendation: runs experiment files.')
    .version(readVersion())
    .showHelpAfterError('(nimue --help shows what there is)')
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  program
    .command('run')
    .description('train and evaluate the models of an experiment file, and write a report')
    .argument('<file>', 'experiment file (YAML)')
    .option('--set <path=value>', 'change a value of the file; may be repeated', collect, [])
    .addOption(
      new Option('--backend <name>', 'what computes; takes precedence over the file').choices([
        'auto',
        'native',
        'tensorflow',
        'wasm',
        'cpu',
      ]),
    )
    .option('--out <folder>', 'where the folders of the runs lie', 'runs')
    .option('--prepared <folder>', 'where prepared data lies, reused from run to run', 'prepared')
    .option('--json', 'print the result as JSON on stdout; everything else goes to stderr')
    .action(async (file, options) => (await import('./run-command.ts')).runCommand(file, options));
  program
    .command('doctor')
    .description('show which backends load on this machine, and why the others do not')
    .option('--json', 'print as JSON')
    .action(async (options) => (await import('./doctor-command.ts')).doctorCommand(options));
  return program;
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

function reportError(error: unknown): number {
  if (error instanceof Error && error.name === 'InterruptedError') {
    process.stderr.write(`${error.message}\n`);
    return EXIT.interrupted;
  }
  if (error instanceof InputError) {
    process.stderr.write(`${error.message}\n`);
    return EXIT.input;
  }
  const text = error instanceof Error ? (process.env.NIMUE_DEBUG ? error.stack : error.message) : String(error);
  process.stderr.write(`failed: ${text}\n`);
  return EXIT.failure;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return String((manifest as { version?: unknown }).version);
}
