import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, Option } from 'commander';
import { InputError } from '../input-error.ts';
import { completionScript, SHELLS } from './completion.ts';
import { EXIT } from './exit-codes.ts';

const EXAMPLES = `
Examples:
  nimue init clicks.csv.gz                                   writes clicks.yaml, an experiment that runs
  nimue run apps/experiment-runner/experiments/quickstart.yaml
  nimue run quickstart.yaml --set training.epochs=1 --set models.1.hiddenSize=32
  nimue run quickstart.yaml larger.yaml                      larger.yaml takes precedence
  nimue run quickstart.yaml --json > result.json
  nimue resume runs/quickstart/20240101-120000-0a1b2c     goes on where a run was stopped
  nimue recommend runs/quickstart/20240101-120000-0a1b2c --session "a,b,c"
  nimue export runs/quickstart/20240101-120000-0a1b2c --format onnx
  nimue evaluate runs/quickstart/20240101-120000-0a1b2c --set evaluation.metrics=[hr@5]
  nimue sweep learning-rates.yaml                            variations side by side; again to go on
  nimue sweep learning-rates.yaml --executor redis://host:6379   the same on the workers of a Redis
  nimue worker --redis redis://host:6379 --concurrency 2     a worker, on any machine
  nimue compare --where experiment=globo* --where model=sasrec
  nimue explain quickstart.yaml --set seeds=[1,2]            every value and where it comes from
  nimue schema > nimue.schema.json                           for an editor that completes YAML
  nimue data describe clicks.csv.gz --draw clicks.html       sessions, items, span, distributions of a log
  nimue data fetch movielens1m                               downloads a ready-made data set
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

/** The whole command; what a subcommand needs is loaded when it runs. */
export function createProgram(): Command {
  const program = new Command('nimue')
    .description('Session-based and sequential recommendation: runs experiment files.')
    .version(readVersion())
    .showHelpAfterError('(nimue --help shows what there is)')
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  withExperiment(program.command('run'))
    .description('train and evaluate the models of an experiment, and write a report')
    .addOption(backendOption())
    .option('--out <folder>', 'where the folders of the runs lie', 'runs')
    .option('--prepared <folder>', 'where prepared data lies, reused from run to run', 'prepared')
    .option('--json', 'print the result as JSON on stdout; everything else goes to stderr')
    .action(async (files, options) => (await import('./run-command.ts')).runCommand(files, options));
  program
    .command('resume')
    .description('go on with a run or a sweep that was stopped or killed; it ends with the same numbers')
    .argument('<run>', 'its folder, runs/<name>/<run>; of a sweep runs/<name>-sweep.yaml')
    .option('--prepared <folder>', 'where prepared data lies', 'prepared')
    .option('--json', 'print the result as JSON on stdout; everything else goes to stderr')
    .action(async (path, options) => (await import('./resume-command.ts')).resumeCommand(path, options));
  withExperiment(program.command('sweep'))
    .description('run the variations that the sweep section names; the same command again goes on where it stopped')
    .option('--out <folder>', 'where the cells lie, reused by every sweep', 'runs')
    .option('--prepared <folder>', 'where prepared data lies, reused from run to run', 'prepared')
    .option('--executor <redis>', 'hand the cells to the workers of this Redis: redis://host:6379; see nimue worker')
    .option('--queue <name>', 'name of the queue in Redis', 'nimue')
    .option('--store <address>', 'what workers share: a folder all see, or s3://bucket/prefix; default <out>/store')
    .option('--priority <number>', '1 goes before 2, and what has none before all')
    .option('--shards <n>', 'prepare the log in so many pieces, divided by users, where the cells run')
    .option('--json', 'print all cells as JSON on stdout; everything else goes to stderr')
    .action(async (files, options) => (await import('./sweep-command.ts')).sweepCommand(files, options));
  program
    .command('recommend')
    .description('what a trained model recommends: to sessions typed here, to users, or to all sessions of a file')
    .argument('<run>', 'runs/<name>/<run>, or a model folder')
    .option('--model <label>', 'which model of the run; default: the best by its first metric')
    .option('--session <items>', 'item ids, oldest first: "a,b,c"; may be repeated', collect, [])
    .option(
      '--times <times>',
      'when the items of the --session at the same place were clicked: "2024-05-01T10:00Z,…", or seconds or milliseconds since 1970; may be repeated',
      collect,
      [],
    )
    .option(
      '--context <column=value>',
      'what holds for every event of the --session, such as device=phone, where a feature reads it; may be repeated',
      collect,
      [],
    )
    .option('--k <number>', 'items per list', '10')
    .option('--filter-seen', 'leave out what the session has')
    .option('--candidates <items>', 'the only items that can be recommended: "a,b,c"')
    .option('--exclude <items>', 'items that must not be recommended: "a,b,c"')
    .addOption(
      new Option('--on-unsupported <how>', 'sessions without a known item, and unknown users')
        .choices(['error', 'warn', 'skip'])
        .default('warn'),
    )
    .option('--in <file>', 'sessions to answer: Parquet, CSV or TSV, a row per event or a list per session')
    .option('--out <file>', 'Parquet file for their lists: session, place, item, score')
    .option('--session-column <name>', 'of --in', 'session_id')
    .option('--item-column <name>', 'of --in and --history', 'item_id')
    .option('--timestamp-column <name>', 'of --in and --history; without it the order of the rows counts')
    .option('--history <file>', 'what users have done, for --user')
    .option('--user-column <name>', 'of --history', 'user_id')
    .option('--user <id>', 'a user of --history; may be repeated', collect, [])
    .addOption(
      new Option('--search <how>', 'exact looks at every item; clusters and hnsw (needs the package usearch) do not')
        .choices(['exact', 'clusters', 'hnsw'])
        .default('exact'),
    )
    .addOption(backendOption().default('auto'))
    .option('--json', 'print as JSON')
    .action(async (run, options) => (await import('./recommend-command.ts')).recommendCommand(run, options));
  program
    .command('export')
    .description('put a trained model into another format: ONNX, TensorFlow.js, Triton or safetensors')
    .argument('<run>', 'a run, runs/<name>/<run>, or a model folder')
    .addOption(
      new Option('--format <name>', 'what it becomes')
        .choices(['onnx', 'safetensors', 'tfjs', 'triton'])
        .makeOptionMandatory(),
    )
    .option('--out <folder>', 'where it is written; must not exist yet (default: <run>-<format>)')
    .option('--model <label>', 'which model of the run; default: the one with the best first metric')
    .option('--batch <n>', 'a fixed number of sessions per request (default: any)')
    .option('--length <n>', 'a fixed number of items per session (default: any)')
    .option('--top-k <k>', 'give the k best items in place of all scores')
    .option('--int8-items', 'item vectors of one byte per number; says what it costs')
    .option('--json', 'print the files, and what one byte per number costs, as JSON')
    .addOption(backendOption().default('auto'))
    .action(async (run, options) => (await import('./export-command.ts')).exportCommand(run, options));
  program
    .command('evaluate')
    .description('evaluate the models of a finished run again, untrained: by other rules, or on a newer log')
    .argument('<run>', 'its folder: runs/<name>/<run>')
    .option('--set <path=value>', 'change a value of its experiment; may be repeated', collect, [])
    .option('--model <label>', 'only this one of its models; may be repeated', collect, [])
    .option('--prepared <folder>', 'where prepared data lies', 'prepared')
    .option('--json', 'print the result as JSON on stdout; everything else goes to stderr')
    .action(async (run, options) => (await import('./evaluate-command.ts')).evaluateCommand(run, options));
  program
    .command('worker')
    .description('take cells of sweeps and pieces of logs from a Redis and work on them until stopped; on any machine')
    .requiredOption('--redis <address>', 'redis://host:6379', process.env.NIMUE_REDIS)
    .option('--concurrency <n>', 'so many cells at a time', '1')
    .option('--queue <name>', 'name of the queue in Redis', 'nimue')
    .option('--store <address>', 'the store as this machine sees it; default: the address that the sweep names')
    .option('--cache <folder>', 'where prepared data is copied to', 'prepared')
    .option('--lock-seconds <n>', 'cells of a worker that is silent for so long go to another', '30')
    .option(
      '--grace-seconds <n>',
      'after SIGTERM cells have so long to end before they save and go back to the queue',
      '20',
    )
    .option('--keep-seconds <n>', 'what a cell has learned goes into the store so often, for another worker', '30')
    .option('--health-port <port>', 'answer /healthz and /readyz')
    .option('--json', 'print what happens as a line of JSON each on stdout; everything else goes to stderr')
    .action(async (options) => (await import('./worker-command.ts')).workerCommand(options));
  program
    .command('queue')
    .description('show what waits and runs, and the dead letters: cells that failed for good, with their errors')
    .requiredOption('--redis <address>', 'redis://host:6379', process.env.NIMUE_REDIS)
    .option('--queue <name>', 'name of the queue in Redis', 'nimue')
    .option('--retry', 'queue the dead letters again')
    .option('--json', 'print as JSON')
    .action(async (options) => (await import('./queue-command.ts')).queueCommand(options));
  program
    .command('cell-process', { hidden: true })
    .action(async () => (await import('../sweep/cell-process.ts')).serveCells());
  program
    .command('bench')
    .description('run models × data sets × backends in small and compare with the stored results')
    .option('--backend <name>', 'may be repeated; default: all that load but cpu', collect, [])
    .option('--out <folder>', 'one JSON per cell', 'bench-results')
    .option('--stored <folder>', 'what to compare with; default: the results that come with the runner')
    .option('--update', 'store the results')
    .option('--json', 'print all cells as JSON on stdout; the table goes to stderr')
    .action(async (options) => (await import('./bench-command.ts')).benchCommand(options));
  program
    .command('compare')
    .description('list the models of finished runs side by side')
    .argument('[folder]', 'the folder of the runs', 'runs')
    .option(
      '--where <field=pattern>',
      'experiment, model, backend, commit or data; * stands for anything; may be repeated',
      collect,
      [],
    )
    .option('--metric <name>', 'order by this metric; default: the first')
    .option('--json', 'print as JSON')
    .action(async (folder, options) => (await import('./compare-command.ts')).compareCommand(folder, options));
  program
    .command('report')
    .description("print a run's report as Markdown; report.html beside it opens in a browser")
    .argument('[run]', 'the folder of the run')
    .option('--results <folder>', 'write the tables of results that the definitions in this folder name, instead')
    .option('--runs <folder>', 'with --results: where the folders of the runs lie', 'runs')
    .option(
      '--json',
      'print experiment, environment, summaries and the results of every window as JSON, or the tables that were written',
    )
    .action(async (run, { results, runs, ...options }) => {
      if ((run === undefined) === (results === undefined)) {
        throw new InputError('report: expected either the folder of a run or --results <folder>');
      }
      if (results !== undefined) return (await import('./results-command.ts')).resultsCommand(results, runs, options);
      return (await import('./compare-command.ts')).reportCommand(run, options);
    });
  withExperiment(program.command('explain'))
    .description('print the experiment as it would run, and where each value comes from')
    .option('--json', 'print a list of path, value and origin')
    .action(async (files, options) => (await import('./explain-command.ts')).explainCommand(files, options));
  program
    .command('init')
    .description('write a commented experiment file for a log; asks at a terminal, guesses otherwise')
    .argument('<log>', 'CSV, TSV or Parquet file, plain or gzip')
    .option('--item <column>', 'what was clicked')
    .option('--timestamp <column>', 'when')
    .option('--session <column>', 'which session')
    .option('--user <column>', 'who; where there is no session, a gap in time begins a new one')
    .option('--span <span>', 'windows: hour, day or week')
    .option('--yes', 'ask nothing')
    .option('--json', 'ask nothing, and print what was written as JSON')
    .option('--out <file>', 'default: the name of the log with .yaml')
    .action(async (log, options) => (await import('./init-command.ts')).initCommand(log, options));
  const data = program.command('data').description('look at a log, prepare it, or download a ready-made data set');
  data
    .command('describe')
    .description('rows, users, sessions, items, span, lengths, popularity, missing cells and times of a log')
    .argument('<log>', 'a file, folder or glob, or the name of a ready-made data set such as globo')
    .option('--path <folder>', 'where the ready-made data sets lie', 'data')
    .option('--item <column>', 'what was clicked; guessed otherwise, as the next three')
    .option('--timestamp <column>', 'when')
    .option('--session <column>', 'which session')
    .option('--user <column>', 'who; where there is no session, a pause begins a new one')
    .option('--gap <minutes>', "longest pause within a user's session, or none", '30')
    .option('--draw <file>', 'draw the distributions: .html, or .svg')
    .option('--json', 'print as JSON')
    .action(async (log, options) => (await import('./data-describe-command.ts')).dataDescribeCommand(log, options));
  data
    .command('prepare')
    .description('make the sessions of an experiment by window, divided by users over processes or machines')
    .argument('<files...>', 'experiment files (YAML); later ones take precedence')
    .option('--set <path=value>', 'change a value of the files; may be repeated', collect, [])
    .option('--shards <n>', 'so many pieces; the result is the same for any number; default: one process, no pieces')
    .option('--prepared <folder>', 'where prepared data lies', 'prepared')
    .option('--executor <redis>', 'hand the pieces to the workers of this Redis: redis://host:6379; see nimue worker')
    .option('--queue <name>', 'name of the queue in Redis', 'nimue')
    .option(
      '--store <address>',
      'what workers share, and where the result lies then: a folder all see, or s3://bucket/prefix; default <prepared>/store',
    )
    .option('--json', 'print where it lies as JSON on stdout; everything else goes to stderr')
    .action(async (files, options) => (await import('./data-prepare-command.ts')).dataPrepareCommand(files, options));
  data
    .command('fetch')
    .description('download a ready-made data set; the same command again goes on where it stopped')
    .argument('<name>', 'such as movielens1m')
    .option('--path <folder>', 'where the ready-made data sets lie', 'data')
    .option('--json', 'print file, size and checksum as JSON')
    .action(async (name, options) => (await import('./data-fetch-command.ts')).dataFetchCommand(name, options));
  program
    .command('schema')
    .description('print the JSON Schema of experiment files')
    .option('--reference', 'every option as a page of Markdown instead')
    .action(async (options) => (await import('./schema-command.ts')).schemaCommand(options));
  program
    .command('doctor')
    .description('show which backends load on this machine, and why the others do not')
    .option('--json', 'print as JSON')
    .action(async (options) => (await import('./doctor-command.ts')).doctorCommand(options));
  const backend = program.command('backend').description('install or remove what a backend needs');
  backend
    .command('install')
    .description("compile tfjs-node's binding against the TensorFlow of a Python wheel (Linux; about a minute)")
    .addArgument(new Argument('<backend>').choices(['tensorflow']))
    .option('--gpu', 'tfjs-node-gpu on the wheel of tensorflow; CUDA has to be there, see apps/docs/gpu.md')
    .option('--wheel <file>', 'a wheel that is there; otherwise pip downloads one')
    .option('--into <folder>', 'not into node_modules; name the folder in NIMUE_TENSORFLOW_DIRECTORY then')
    .option('--json', 'print what was installed as JSON on stdout; everything else goes to stderr')
    .action(async (_name, options) => (await import('./backend-command.ts')).backendInstallCommand(options));
  backend
    .command('remove')
    .description('take away what install made')
    .addArgument(new Argument('<backend>').choices(['tensorflow']))
    .option('--gpu', 'tfjs-node-gpu')
    .option('--into <folder>', 'not in node_modules but in this folder')
    .option('--json', 'print whether there was one as JSON')
    .action(async (_name, options) => (await import('./backend-command.ts')).backendRemoveCommand(options));
  program
    .command('completion')
    .description('print a script for the shell: source <(nimue completion bash), or nimue completion fish | source')
    .addArgument(new Argument('<shell>').choices([...SHELLS]))
    .action((shell) => {
      process.stdout.write(completionScript(program, shell));
    });
  return program;
}

function withExperiment(command: Command): Command {
  return command
    .argument('<files...>', 'experiment files (YAML); later ones take precedence')
    .option('--set <path=value>', 'change a value of the files; may be repeated', collect, []);
}

function backendOption(): Option {
  const names = ['auto', 'tensorflow-gpu', 'native', 'tensorflow', 'wasm', 'cpu'];
  return new Option('--backend <name>', 'what computes; takes precedence over the files').choices(names);
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
