import { readFileSync } from 'node:fs';
import { BACKEND_NAMES, type BackendChoice, chooseBackend } from '@nimue/container';
import { clusterSearch, findModelFolder, hnswSearch, Recommender } from '@nimue/recommender';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createServer, type NimueServer } from './create-server.ts';
import { watchModelFolder } from './folder-watch.ts';
import { ServedModel } from './served-model.ts';
import { DEFAULT_LIMITS, type ServerOptions } from './server-options.ts';

interface ServeOptions {
  readonly model?: string;
  readonly host: string;
  readonly port: number;
  readonly backend: BackendChoice;
  readonly search: keyof typeof SEARCHES;
  readonly tokenFile?: string;
  readonly maxBody: number;
  readonly maxK: number;
  readonly maxBatch: number;
  readonly watch: number;
  readonly logLevel: NonNullable<ServerOptions['logLevel']>;
}

/** How items are found. */
const SEARCHES = { exact: () => undefined, clusters: () => clusterSearch(), hnsw: () => hnswSearch() };

const EXAMPLES = `
Examples:
  nimue-serve models/sasrec
  nimue-serve runs/my-shop/20240501-120000-1f3a9c --model sasrec --port 8080
  NIMUE_TOKEN=secret nimue-serve current --host 0.0.0.0     current is a link; moving it to a newer model takes effect at once

SIGHUP loads the folder again; SIGTERM and Ctrl-C answer what has been asked and stop.
Exit codes: 0 stopped when told to, 1 failed, 2 command line, model or backend are at fault`;

const program = new Command('nimue-serve')
  .description('Answers requests for recommendations over HTTP; /docs on the server says how to ask.')
  .argument('<model>', 'a model folder, or the folder of a run')
  .option('--model <label>', 'which model of the run; default: the best by its first metric')
  .option('--host <address>', 'where to listen', '127.0.0.1')
  .option('--port <number>', 'where to listen; 0: any that is free', wholeNumber(0, 65_535), 3000)
  .addOption(new Option('--backend <name>', 'what computes').choices(['auto', ...BACKEND_NAMES]).default('auto'))
  .addOption(
    new Option(
      '--search <how>',
      'exact looks at every item; clusters and hnsw (needs the package usearch) are for more than a million',
    )
      .choices(Object.keys(SEARCHES))
      .default('exact'),
  )
  .option('--token-file <file>', 'holds the bearer token that /v1 asks for; default: the variable NIMUE_TOKEN, or none')
  .option('--max-body <bytes>', 'longest body', wholeNumber(1024, 2 ** 30), DEFAULT_LIMITS.maxBodyBytes)
  .option('--max-k <number>', 'longest list', wholeNumber(1, 1_000_000), DEFAULT_LIMITS.maxK)
  .option('--max-batch <number>', 'requests answered by one pass', wholeNumber(1, 4096), DEFAULT_LIMITS.maxBatch)
  .option('--watch <seconds>', 'how often to look for a new model under the name; 0: never', seconds, 2)
  .addOption(
    new Option('--log-level <level>', 'JSON lines').choices(['silent', 'error', 'warn', 'info']).default('warn'),
  )
  .addHelpText('after', EXAMPLES)
  .exitOverride();

/** Reads the command line and serves until it is told to stop. @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let server: NimueServer | undefined;
  try {
    program.parse(args, { from: 'user' });
    const options = program.opts<ServeOptions>();
    const folder = findModelFolder(program.args[0], options.model);
    const { line } = await chooseBackend(options.backend);
    process.stderr.write(`${line}\n`);
    const open = () => Recommender.loadAside(folder, { search: SEARCHES[options.search]() });
    const limits = { ...DEFAULT_LIMITS, maxBodyBytes: options.maxBody, maxK: options.maxK, maxBatch: options.maxBatch };
    const model = new ServedModel(open, limits);
    server = await createServer(model, { limits, token: readToken(options), logLevel: options.logLevel });
    await server.reload();
    const address = await server.http.listen({ host: options.host, port: options.port });
    process.stderr.write(
      `${model.recommender.label} (${model.recommender.numItems} items) answers on ${address}, /docs says how\n`,
    );
    return await untilStopped(server, folder, options.watch);
  } catch (error) {
    await server?.close();
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${process.env.NIMUE_DEBUG ? (error as Error).stack : (error as Error).message}\n`);
    return 2;
  }
}

/** Serves on, reloads when there is a new model, and stops on SIGTERM or SIGINT. */
async function untilStopped(server: NimueServer, folder: string, watchSeconds: number): Promise<number> {
  const reload = async () => {
    try {
      await server.reload();
      server.http.log.info('loaded the model anew');
    } catch (error) {
      server.http.log.error(error, 'the new model cannot be used; the one before goes on answering');
    }
  };
  process.on('SIGHUP', reload);
  const stopWatching = watchSeconds > 0 ? await watchModelFolder(folder, 1000 * watchSeconds, reload) : () => {};
  return new Promise((resolve) => {
    const stop = () => {
      stopWatching();
      process.off('SIGHUP', reload);
      server.close().then(
        () => resolve(0),
        (error) => {
          process.stderr.write(`${(error as Error).message}\n`);
          resolve(1);
        },
      );
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}

/** @throws when the file cannot be read or holds nothing */
function readToken({ tokenFile }: ServeOptions): string | undefined {
  if (tokenFile === undefined) return process.env.NIMUE_TOKEN || undefined;
  const token = readFileSync(tokenFile, 'utf8').trim();
  if (!token) throw new Error(`--token-file ${tokenFile}: the file is empty`);
  return token;
}

function wholeNumber(smallest: number, largest: number) {
  return (text: string): number => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= smallest && number <= largest) return number;
    throw new InvalidArgumentError(`expected a whole number from ${smallest} to ${largest}`);
  };
}

function seconds(text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new InvalidArgumentError('expected a number of seconds ≥ 0');
}
