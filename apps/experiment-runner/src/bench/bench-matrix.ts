/** The parts of the matrix: small enough that a cell takes seconds on two cores. */
export const BENCH_DATASETS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  shop: {
    dataset: {
      generated: 'shop',
      days: 4,
      sessionsPerDay: 600,
      numItems: 150,
      numCategories: 4,
      linesPerCategory: 3,
      newItemsPerDay: 3,
    },
    windows: { span: 'day', policy: 'incremental' },
  },
  sequences: {
    dataset: {
      generated: 'shop',
      days: 2,
      sessionsPerDay: 800,
      numItems: 200,
      numCategories: 4,
      linesPerCategory: 3,
      meanLength: 8,
    },
    sessions: { minLength: 3 },
    windows: { policy: 'leaveOneOut' },
  },
};

export const BENCH_MODELS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  popularity: { name: 'popularity' },
  vstan: { name: 'vstan' },
  gru4rec: { name: 'gru4rec', hiddenSize: 32, inputDropout: 0.1, hiddenDropout: 0.1 },
  sasrec: { name: 'sasrec', hiddenSize: 32, numBlocks: 1, maxLength: 20, dropout: 0.1 },
  bert4rec: { name: 'bert4rec', hiddenSize: 32, numBlocks: 1, maxLength: 20, dropout: 0.1 },
};

export interface BenchCell {
  readonly dataset: string;
  readonly model: string;
  readonly backend: string;
}

/** Every combination, data set by data set. */
export function benchCells(backends: readonly string[]): BenchCell[] {
  return Object.keys(BENCH_DATASETS).flatMap((dataset) =>
    Object.keys(BENCH_MODELS).flatMap((model) => backends.map((backend) => ({ dataset, model, backend }))),
  );
}

/** The experiment of a cell. */
export function benchExperiment({ dataset, model, backend }: BenchCell): Record<string, unknown> {
  return {
    name: `bench-${dataset}-${model}-${backend}`,
    ...BENCH_DATASETS[dataset],
    models: [BENCH_MODELS[model]],
    training: { epochs: 4, batchSize: 64, learningRate: 0.01 },
    evaluation: { metrics: ['ndcg@10', 'hr@10'], split: 'test' },
    seeds: [1],
    report: { keepModels: false, samples: 0 },
    backend,
  };
}

/** What a cell came to, as its JSON file holds it. */
export interface BenchResult extends BenchCell {
  readonly metrics: Readonly<Record<string, number>>;
  /** Events that training read in a second; absent for models that count. */
  readonly trainEventsPerSecond?: number;
  readonly memoryMiB: number;
}

/** Another processor rounds in another order, and training makes more of it: about a standard error of these small tests. */
export const ACCURACY_BAND = 0.02;

export interface BenchVerdict {
  readonly result: BenchResult;
  /** Largest distance of a metric from the stored one; absent without a stored result. */
  readonly difference?: number;
  /** Speed as a multiple of the stored one. */
  readonly speedRatio?: number;
  readonly isWithinBand: boolean;
}

/** Compares with what is stored: accuracy has to stay within the band, speed is told as a ratio. */
export function judgeBench(result: BenchResult, stored: BenchResult | undefined): BenchVerdict {
  if (!stored) return { result, isWithinBand: true };
  const distances = Object.entries(stored.metrics).map(([metric, value]) =>
    Math.abs((result.metrics[metric] ?? Number.NaN) - value),
  );
  const difference = Math.max(...distances);
  const speedRatio =
    result.trainEventsPerSecond &&
    stored.trainEventsPerSecond &&
    result.trainEventsPerSecond / stored.trainEventsPerSecond;
  // A metric that is missing or no number is outside of every band.
  return { result, difference, ...(speedRatio && { speedRatio }), isWithinBand: difference <= ACCURACY_BAND };
}

/** The matrix as a Markdown table. */
export function benchMarkdown(verdicts: readonly BenchVerdict[]): string {
  const rows = verdicts.map(({ result, difference, speedRatio, isWithinBand }) =>
    [
      result.dataset,
      result.model,
      result.backend,
      ...Object.values(result.metrics).map((value) => value.toFixed(4)),
      difference === undefined ? 'nothing stored' : `${difference.toFixed(4)}${isWithinBand ? '' : ' **outside**'}`,
      result.trainEventsPerSecond === undefined ? '–' : Math.round(result.trainEventsPerSecond).toLocaleString('en-US'),
      speedRatio === undefined ? '–' : `${speedRatio.toFixed(2)}×`,
      String(Math.round(result.memoryMiB)),
    ].join(' | '),
  );
  const metrics = Object.keys(verdicts[0]?.result.metrics ?? {});
  const head = [
    'data',
    'model',
    'backend',
    ...metrics,
    `off the stored (≤ ${ACCURACY_BAND})`,
    'train events/s',
    'to the stored',
    'memory MiB',
  ];
  return `| ${head.join(' | ')} |\n|${head.map(() => '---').join('|')}|\n${rows.map((row) => `| ${row} |\n`).join('')}`;
}
