import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TINY_EXPERIMENT } from './tiny-experiment.ts';

const NIMUE = fileURLToPath(new URL('../bin/nimue.mjs', import.meta.url));
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimue-cli-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What a terminal hears beside text. */
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[\\d*[A-Z]`, 'g');
/** A terminal for the command to ask at. */
const hasScript = platform() === 'linux' && spawnSync('script', ['--version']).status === 0;
if (!hasScript)
  console.warn('skipped: what init asks at a terminal, since there is no script (apt-get install bsdutils)');

/** Runs the real command in the temporary folder. */
function nimue(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [NIMUE, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
}

const FILES_EXPERIMENT = `name: clicks
dataset: { files: clicks.csv, columns: { session: session, item: item, timestamp: time } }
windows: { span: day }
models: [{ name: popularity }]
evaluation: { metrics: [hr@2], split: valid }
split: { validShare: 1 }
backend: cpu
`;

const DAY = 86_400_000;
const START = Date.UTC(2024, 0, 1, 10);

/** Two sessions of two clicks on each of the days. */
function clicks(days: readonly number[], time: (ms: number) => string | number = (ms) => ms): string {
  const rows = days.flatMap((day) =>
    [0, 1].flatMap((session) =>
      [0, 1].map((click) => {
        const ms = START + day * DAY + (2 * session + click) * 60_000;
        return `d${day}s${session},item-${(session + click) % 3},${time(ms)}`;
      }),
    ),
  );
  return `session,item,time\n${rows.join('\n')}\n`;
}

async function runFiles(log: string, experiment = FILES_EXPERIMENT) {
  await writeFile(join(folder, 'clicks.csv'), log);
  await writeFile(join(folder, 'clicks.yaml'), experiment);
  return nimue('run', 'clicks.yaml');
}

/** Every file below a folder with its text. */
async function snapshot(path: string): Promise<Record<string, string>> {
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(await Promise.all(files.sort().map(async (name) => [name, await readFile(name, 'utf8')])));
}

test('the command has been built', () => {
  expect(existsSync(fileURLToPath(new URL('../dist/main.js', import.meta.url)))).toBe(true);
});

describe('help', () => {
  test('--help shows examples and exit codes', () => {
    const { status, stdout } = nimue('--help');
    expect(status).toBe(0);
    expect(stdout).toContain('nimue run apps/experiment-runner/experiments/quickstart.yaml');
    expect(stdout).toContain('Exit codes: 0 done, 1 failed while running, 2 command line');
  });

  test('--version is the version of the package', () => {
    expect(nimue('--version')).toEqual({ status: 0, stdout: '0.1.0\n', stderr: '' });
  });

  test('an unknown command or option is a usage error with a hint', () => {
    const unknown = nimue('rum');
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toContain("unknown command 'rum'\n(Did you mean run?)");
    expect(nimue('run').status).toBe(2);
    expect(nimue('run', 'x.yaml', '--backend', 'cuda').stderr).toContain('Allowed choices are auto, tensorflow-gpu');
  });

  test('doctor measures every backend that is there and says how to get the others', () => {
    const { status, stdout } = nimue('doctor');
    expect(status).toBe(0);
    for (const name of ['tensorflow-gpu', 'native', 'tensorflow', 'wasm', 'cpu']) {
      const measured = new RegExp(`^│ ${name} +│ [^│]+│ (GPU|CPU)[^│]* │ +[\\d.]+ GFLOP/s │ +[\\d.]+ GFLOP/s │$`, 'm');
      const absent = new RegExp(`^${name} is not available: .+; (run|see|correct|install|choose)`, 'm');
      expect([name, measured.test(stdout) || absent.test(stdout)]).toEqual([name, true]);
    }
    expect(stdout).toMatch(/^│ cpu +│ 4\.22\.0 +│ CPU, JavaScript, 1 thread +│/m);
    expect(stdout).toMatch(/^backend: auto runs on (tensorflow-gpu|native|tensorflow|wasm); /m);
    const { auto, backends } = JSON.parse(nimue('doctor', '--json').stdout);
    expect(backends.find(({ name }: { name: string }) => name === auto).speed.productGflops).toBeGreaterThan(0);
  });
});

describe('init', () => {
  test('writes an experiment that runs, and overwrites nothing', async () => {
    await writeFile(
      join(folder, 'shop log.csv'),
      clicks([0, 1, 2]).replace('session,item,time', 'visit_id,product_id,event_time'),
    );
    const first = nimue('init', 'shop log.csv', '--yes');
    expect(first).toEqual({ status: 0, stdout: 'wrote shop log.yaml; next: nimue run shop log.yaml\n', stderr: '' });
    const again = nimue('init', 'shop log.csv');
    expect(again.status).toBe(2);
    expect(again.stderr).toContain('the file exists already');
    const run = nimue(
      'run',
      'shop log.yaml',
      '--set',
      'windows.span=day',
      '--backend',
      'cpu',
      '--set',
      'training.epochs=1',
    );
    expect(run.stderr).toBe('');
    expect(run.stdout).toContain('│ sasrec ');
  });

  (hasScript ? test : test.skip)('asks at a terminal, again where an answer fits nothing', async () => {
    await writeFile(join(folder, 'asked.csv'), 'visit,article,when,who\ns1,x,1506826800,u\ns1,y,1506826900,u\n');
    const command = `'${process.execPath}' '${NIMUE}' init asked.csv --user who`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: folder });
    const answers: readonly (readonly [question: string, answer: string])[] = [
      ['what was clicked? [article] ', 'artcle'],
      ["only visit, article, when, who; did you mean 'article'?\r\nWhich column says what was clicked? [article] ", ''],
      ['Which column says when? [when] ', 'when'],
      ['Which column is the session? [visit] ', 'none'],
      ['Windows of an hour, a day or a week? [hour] ', 'dya'],
      [
        "expected hour, day, week, got 'dya'; did you mean 'day'?\r\nWindows of an hour, a day or a week? [hour] ",
        'day',
      ],
    ];
    let said = '';
    let next = 0;
    child.stdout.on('data', (chunk) => {
      // Without what moves the cursor.
      said += String(chunk).replace(ESCAPES, '');
      if (next < answers.length && said.includes(answers[next][0])) {
        said = '';
        child.stdin.write(`${answers[next++][1]}\n`);
      }
    });
    const timer = setTimeout(() => child.kill(), 300_000);
    await new Promise((resolve) => child.on('close', resolve));
    clearTimeout(timer);
    expect([next, said]).toEqual([
      answers.length,
      expect.stringContaining('wrote asked.yaml; next: nimue run asked.yaml'),
    ]);
    const text = await readFile(join(folder, 'asked.yaml'), 'utf8');
    expect(text).toMatch(/user: who/);
    expect(text).not.toMatch(/session: visit/);
    expect(text).toMatch(/span: day/);
  });

  test('for programs what was written is JSON', async () => {
    await writeFile(join(folder, 'even.csv'), 'session,item,when\ns1,x,1506826800\ns1,y,1506826900\n');
    expect(JSON.parse(nimue('init', 'even.csv', '--json').stdout)).toEqual({
      file: 'even.yaml',
      name: 'even',
      log: 'even.csv',
      roles: { session: 'session', item: 'item', timestamp: 'when' },
      span: 'hour',
    });
  });

  test('a column that nothing fits has to be named', async () => {
    await writeFile(join(folder, 'odd.csv'), 'a,b,when\nx,y,1506826800\n');
    expect(nimue('init', 'odd.csv').stderr).toBe(
      'odd.csv: no column was recognized for --item; give it, one of a, b, when\n',
    );
    expect(nimue('init', 'odd.csv', '--item', 'c').stderr).toBe(
      "--item: the log has no column 'c', only a, b, when; did you mean 'a'?\n",
    );
  });
});

test('a sweep shows a failed cell beside the others, and reuses what is finished', async () => {
  await writeFile(
    join(folder, 'sweep.yaml'),
    `extends: tiny.yaml
models: [{ name: popularity, over: all }]
sweep:
  strategy: grid
  workers: 2
  values: { models.0.over: [all, lastWindow, never], windows.count: [3] }
`,
  );
  await writeFile(join(folder, 'tiny.yaml'), TINY_EXPERIMENT);
  const run = () => {
    const { status, stdout } = nimue('sweep', 'sweep.yaml', '--set', 'evaluation.split=valid', '--json');
    expect(status).toBe(0);
    return (JSON.parse(stdout) as { cells: { cell: object; outcome: { status: string; error?: string } }[] }).cells;
  };
  expect(run().map(({ outcome }) => outcome.status)).toEqual(['done', 'done', 'failed']);
  const again = run();
  expect(again.map(({ outcome }) => outcome.status)).toEqual(['reused', 'reused', 'failed']);
  expect(again[2].outcome.error).toContain('models[0].over: expected one of lastWindow');
  const refused = nimue('run', 'sweep.yaml');
  expect(refused).toMatchObject({
    status: 2,
    stderr: 'sweep.yaml: the experiment has a sweep section; use nimue sweep\n',
  });
});

test('compare lists the runs that fit the filters', async () => {
  await writeFile(join(folder, 'tiny.yaml'), TINY_EXPERIMENT);
  const quick = ['--set', 'models=[{ name: popularity }]', '--out', 'compared', '--json'];
  const first = JSON.parse(nimue('run', 'tiny.yaml', ...quick).stdout) as {
    run: string;
    models: { metrics: object }[];
  };
  nimue('run', 'tiny.yaml', ...quick, '--set', 'name=other');
  const rows = JSON.parse(
    nimue('compare', 'compared', '--where', 'experiment=ti*', '--where', 'model=popularity', '--json').stdout,
  ) as object[];
  expect(rows).toEqual([expect.objectContaining({ experiment: 'tiny', model: 'popularity', run: first.run })]);
  expect(nimue('compare', 'compared', '--where', 'model=pop*').stdout.match(/│ popularity/g)).toHaveLength(2);
  expect(nimue('compare', 'compared', '--where', 'modle=x').stderr).toContain("did you mean 'model'?");
  const report = nimue('report', first.run);
  expect(report.stdout).toContain('| popularity |');
  const printed = JSON.parse(nimue('report', first.run, '--json').stdout) as Record<string, object[]>;
  expect(printed.models.map((row) => (row as { model: string }).model)).toEqual(['oracle', 'popularity']);
  expect((printed.models[1] as { metrics: object }).metrics).toEqual(first.models[1].metrics);
  expect(printed).toMatchObject({
    run: first.run,
    experiment: { name: 'tiny' },
    environment: { node: process.version },
  });
  expect(printed.results).toHaveLength(6);
});

describe('explain, schema, completion', () => {
  test('explain shows the values and where they come from', async () => {
    await writeFile(join(folder, 'tiny.yaml'), TINY_EXPERIMENT);
    const { status, stdout } = nimue('explain', 'tiny.yaml', '--set', 'training.epochs=7');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ {2}epochs: 7 +# --set training.epochs=7$/m);
    expect(stdout).toMatch(/^ {2}batchSize: 16 +# tiny.yaml:8:35$/m);
    const [first] = JSON.parse(nimue('explain', 'tiny.yaml', '--json').stdout) as unknown[];
    expect(first).toEqual({ path: 'name', value: 'tiny', from: 'tiny.yaml:1:7' });
    await writeFile(
      join(folder, 'ready-made.yaml'),
      'name: ready-made\ndataset: { spec: lastfm1k, path: data }\nsessions: { minLength: 3 }\nmodels: [{ name: popularity }]\n',
    );
    const values = JSON.parse(nimue('explain', 'ready-made.yaml', '--json').stdout) as { path: string; from: string }[];
    const fromOf = (path: string) => values.find((value) => value.path === path)?.from;
    expect(fromOf('sessions.gapMinutes')).toBe('data set lastfm1k');
    expect(fromOf('sessions.minLength')).toBe('ready-made.yaml:3:24');
    expect(fromOf('sessions.supportPasses')).toBe('default');
    expect(fromOf('windows.span')).toBe('data set lastfm1k');
    expect(fromOf('dataset.columns.item')).toBe('data set lastfm1k');
  });

  test('schema is JSON Schema, completion a script with every command', () => {
    expect(JSON.parse(nimue('schema').stdout)).toMatchObject({ title: 'Nimue experiment', type: 'object' });
    expect(nimue('completion', 'bash').stdout).toContain('"run") words="--set --backend --out --prepared');
    expect(nimue('completion', 'fish').stdout).toContain("complete -c nimue -n '__fish_use_subcommand' -f -a doctor");
    expect(nimue('completion', 'csh').status).toBe(2);
  });
});

describe('a run', () => {
  test('ends with the table, the report and the backend; one line per window without a terminal', async () => {
    await writeFile(join(folder, 'tiny.yaml'), TINY_EXPERIMENT);
    const { status, stdout, stderr } = nimue('run', 'tiny.yaml');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toBe('backend: cpu (plain JavaScript, 1 thread)');
    expect(lines.filter((line) => /^window \d\/3 2024-01-0\d \w+ ndcg@5 \.\d{4} hr@5 \.\d{4}/.test(line))).toHaveLength(
      12,
    );
    expect(stdout).toMatch(
      /window 1\/3 2024-01-02 sasrec ndcg@5 \.\d{4} hr@5 \.\d{4} \(to popularity [+−]\.\d{4} [+−]\.\d{4}\) loss \d\.\d\d [\d,]+ sessions\/s [\d,]+ events\/s\n/,
    );
    expect(stdout).toContain(
      '│ model      │        ndcg@5 │          hr@5 │ ndcg@5 of oracle │ better than │ train s │ evaluate s │',
    );
    expect(lines.slice(-5)).toEqual([
      'mean ± standard error over 3 windows',
      'better than: by ndcg@5 over 88 targets, where a paired t test and a paired bootstrap both say so at .05 / 3 pairs of models (Bonferroni)',
      expect.stringMatching(/^\d+ of \d+ targets were items that no train window had shown; they count as misses$/),
      expect.stringMatching(/^report: runs\/tiny\/[\d-]+-[0-9a-f]{6}\/report\.html$/),
      'backend: cpu (plain JavaScript, 1 thread)',
    ]);
    expect(existsSync(join(folder, lines.at(-2)!.slice('report: '.length)))).toBe(true);
  });

  test('--json leaves nothing but JSON on stdout', async () => {
    await writeFile(join(folder, 'clicks.csv'), clicks([0, 1, 2]));
    await writeFile(join(folder, 'clicks.yaml'), FILES_EXPERIMENT);
    const { status, stdout } = nimue('run', 'clicks.yaml', '--json', '--out', 'json-runs', '--set', 'name=other');
    expect(status).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ experiment: 'other', backend: { name: 'cpu' }, skippedWindows: [] });
    expect(result.run).toMatch(/^json-runs\/other\//);
    expect(result.models).toEqual([expect.objectContaining({ model: 'popularity', numWindows: 2, numTargets: 4 })]);
  });

  test('Ctrl-C stops with 130 and keeps what is finished', async () => {
    await writeFile(join(folder, 'long.yaml'), TINY_EXPERIMENT.replace('name: tiny', 'name: long'));
    const child = spawn(process.execPath, [NIMUE, 'run', 'long.yaml', '--set', 'training.epochs=2000'], {
      cwd: folder,
    });
    let stdout = '';
    let isInterrupted = false;
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (!isInterrupted && stdout.includes('3/3 2024-01-04 popularity')) {
        // By then the first neural model is being trained.
        isInterrupted = true;
        child.kill('SIGINT');
      }
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    const [run] = await readdir(join(folder, 'runs', 'long'));
    expect(stdout).toContain(`6 of 12 window results are in runs/long/${run}/metrics.jsonl`);
    const metrics = await readFile(join(folder, 'runs', 'long', run, 'metrics.jsonl'), 'utf8');
    expect(
      metrics
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).model),
    ).toEqual([...Array(3).fill('oracle'), ...Array(3).fill('popularity')]);
  });
});

test('a loss that becomes NaN ends the run with 1, the finished results stay', async () => {
  await writeFile(join(folder, 'nan.yaml'), TINY_EXPERIMENT.replace('name: tiny', 'name: nan'));
  const { status, stdout, stderr } = nimue('run', 'nan.yaml', '--set', 'training.learningRate=1e38');
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^failed: gru4rec: the loss became NaN at step \d+ of window 2024-01-01 .*lower training\.learningRate/,
  );
  expect(stdout).toMatch(
    /6 of 12 window results are in runs\/nan\/.*\/metrics\.jsonl\nto go on: nimue resume runs\/nan\/.*\n$/,
  );
});

describe('bad input: one clear message, exit code 2, earlier runs untouched', () => {
  let earlier: Record<string, string> = {};

  beforeAll(async () => {
    expect(await runFiles(clicks([0, 1, 2]))).toMatchObject({ status: 0, stderr: '' });
    earlier = await snapshot(join(folder, 'runs', 'clicks'));
    // Experiment, environment, metrics in three forms, curves, two reports, the checkpoints of the last two windows and a model folder.
    expect(Object.keys(earlier)).toHaveLength(13);
  });

  async function expectRefused(run: Promise<{ status: number | null; stderr: string }>, message: string | RegExp) {
    const { status, stderr } = await run;
    if (typeof message === 'string') expect(stderr).toBe(`${message}\n`);
    else expect(stderr).toMatch(message);
    expect(status).toBe(2);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(await snapshot(join(folder, 'runs', 'clicks'))).toEqual(earlier);
  }

  test('missing experiment file', () =>
    expectRefused(
      Promise.resolve(nimue('run', 'nowhere.yaml')),
      'nowhere.yaml: the file does not exist; expected an experiment file',
    ));

  test('unknown key', () =>
    expectRefused(
      runFiles(clicks([0, 1]), FILES_EXPERIMENT.replace('span: day', 'span: day, timezone: UTC')),
      "clicks.yaml:3:23: windows.timezone: unknown key; did you mean 'timeZone'?",
    ));

  test('missing log', () =>
    expectRefused(
      runFiles(clicks([0, 1]), FILES_EXPERIMENT.replace('clicks.csv', 'click.csv')),
      "dataset.files: click.csv does not exist; did you mean 'clicks.csv'?",
    ));

  test('missing column', () =>
    expectRefused(
      runFiles(clicks([0, 1]).replace('session,item', 'session,itme')),
      /^dataset\.columns\.item: clicks\.csv .*; did you mean 'itme'\?/,
    ));

  test('empty file', () => expectRefused(runFiles(''), /^clicks\.csv: the file is empty/));

  test('log without events', () => expectRefused(runFiles('session,item,time\n'), /^clicks\.csv: the log is empty/));

  test('one-click sessions only', () =>
    expectRefused(
      runFiles(`session,item,time\na,x,${START}\nb,y,${START + DAY}\n`),
      /^sessionize: every session has 1 event after grouping by session id \(2 sessions from 2 events\)/,
    ));

  test.each([
    ['seconds taken for milliseconds', 'ms', (ms: number) => ms / 1000, /1970.*timeUnit 's' \(seconds\) would fit/],
    ['milliseconds taken for seconds', 's', (ms: number) => ms, /5\d{4}.*timeUnit 'ms' \(milliseconds\) would fit/],
  ])('%s', (_, unit, time, message) =>
    expectRefused(
      runFiles(
        clicks([0, 1], time),
        FILES_EXPERIMENT.replace('files: clicks.csv', `files: clicks.csv, timeUnit: ${unit}`),
      ),
      message,
    ),
  );

  test('NaN among the times', () =>
    expectRefused(runFiles(clicks([0, 1]).replace(String(START), 'NaN')), /^clicks\.csv.*time/));

  test('NaN in the file', () =>
    expectRefused(
      runFiles(clicks([0, 1]), `${FILES_EXPERIMENT}training: { learningRate: .nan }\n`),
      'clicks.yaml:8:27: training.learningRate: expected a number, got NaN',
    ));

  test('a single window', () =>
    expectRefused(
      runFiles(clicks([0])),
      'clicks: planRollingEvaluation: incremental needs 2 windows with sessions (1 to train, 1 to evaluate), got 1 of 1; choose a shorter span or more of the log',
    ));

  test('a window without sessions, where that is an error', () =>
    expectRefused(
      runFiles(clicks([0, 2]), FILES_EXPERIMENT.replace('span: day', 'span: day, emptyWindows: error')),
      /^clicks: planRollingEvaluation: window 2024-01-02 has no sessions/,
    ));

  test('a backend that is not there', () =>
    expectRefused(
      Promise.resolve(nimue('run', 'clicks.yaml', '--set', 'backend=tensorflow')),
      /^backend 'tensorflow' is not available: .*, or set backend to auto$/m,
    ));
});

test('a window without sessions is skipped and said, also in the report', async () => {
  const { status, stdout } = await runFiles(clicks([0, 2, 3]), FILES_EXPERIMENT.replace('name: clicks', 'name: gap'));
  expect(status).toBe(0);
  expect(stdout).toContain('window 2024-01-02 is skipped: no session starts in it\n');
  const [run] = await readdir(join(folder, 'runs', 'gap'));
  const report = await readFile(join(folder, 'runs', 'gap', run, 'report.md'), 'utf8');
  expect(report).toContain('## Skipped windows\n\n- 2024-01-02: no session starts in it');
});

test('the order of the lines does not matter, equal times keep it', async () => {
  const [head, ...rows] = clicks([0, 1]).trimEnd().split('\n');
  const measure = async (lines: readonly string[]) => {
    await writeFile(join(folder, 'clicks.csv'), `${[head, ...lines].join('\n')}\n`);
    await writeFile(join(folder, 'order.yaml'), FILES_EXPERIMENT.replace('name: clicks', 'name: order'));
    const { status, stdout } = nimue('run', 'order.yaml', '--json');
    expect(status).toBe(0);
    return JSON.parse(stdout).models[0].metrics;
  };
  const sorted = await measure(rows);
  expect(await measure([...rows].reverse())).toEqual(sorted);
  const sameTimes = rows.map((row) => row.replace(/\d+$/, (time) => String(Math.floor(Number(time) / DAY) * DAY)));
  expect(await measure(sameTimes)).toEqual(sorted);
});
