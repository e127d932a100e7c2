import type { LineSink, Logger } from '@nimue/container';
import type { PrepareProgress } from '@nimue/data';
import type { MemoryEstimate, TrainerEvent, TrainerListener } from '@nimue/trainer';
import { formatCount, formatDuration, formatMetric } from '../report/format.ts';
import type { ProgressState, ProgressTracker } from './progress.ts';

/** Shows a run as it goes. */
export interface ProgressView {
  readonly onEvent: TrainerListener;
  /** Takes the bar away. */
  close(): void;
}

/** One line per window, for files, pipes and logs. */
export function createLineView(tracker: ProgressTracker, logger: Logger): ProgressView {
  return {
    onEvent(event) {
      const state = tracker.update(event);
      if (event.type === 'windowStarted' && event.memory) logger.info(memoryLine(event.model, event.memory));
      if (event.type === 'windowDone') logger.info(windowLine(event, state));
    },
    close() {},
  };
}

/** A terminal that can be drawn upon. */
export interface TerminalSink extends LineSink {
  readonly columns?: number;
}

const REDRAW_MS = 100;
const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\u001b[2K';
/** From the beginning of the line to the end of the screen: a bar may have several lines. */
const CLEAR = '\r\u001b[J';

/** A bar that is redrawn in place, with the lines of the finished windows above it. */
export function createBarView(
  tracker: ProgressTracker,
  logger: Logger,
  terminal: TerminalSink,
  nowMs: () => number,
): ProgressView {
  let drawnMs = Number.NEGATIVE_INFINITY;
  return {
    onEvent(event) {
      const state = tracker.update(event);
      if (event.type === 'windowStarted' && event.memory) {
        terminal.write(CLEAR);
        logger.info(memoryLine(event.model, event.memory));
      }
      if (event.type === 'windowDone') {
        terminal.write(CLEAR);
        logger.info(windowLine(event, state));
      } else if (nowMs() - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs();
      const lines = barLines(state, (terminal.columns || 120) - 1);
      const back = lines.length > 1 ? `\u001b[${lines.length - 1}A` : '';
      terminal.write(`${CLEAR}${lines.join('\n')}${back}`);
    },
    close: () => void terminal.write(CLEAR),
  };
}

const STAGES: Readonly<Record<PrepareProgress['stage'], string>> = {
  generate: 'generating the log',
  read: 'reading the log',
  sessionize: 'events into sessions',
  write: 'writing windows',
};

/** Shows the preparation of a log, which happens once: in place on a terminal, else as a single line. */
export function createPreparationView(logger: Logger, terminal?: TerminalSink) {
  let isAnnounced = false;
  return {
    onProgress({ stage, done, total }: PrepareProgress): void {
      const counts = total > 0 ? ` ${formatCount(done)} of ${formatCount(total)}` : '';
      if (terminal) terminal.write(`${CLEAR_LINE}preparing data: ${STAGES[stage]}${counts}`);
      else if (!isAnnounced) logger.info('preparing data; it is kept for the next run');
      isAnnounced = true;
    },
    close(): void {
      if (terminal && isAnnounced) terminal.write(CLEAR_LINE);
    },
  };
}

/**
 * `window 3/7 2024-01-04 gru4rec ndcg@20 .4312 hr@20 .6120 (to popularity +.2998 +.3010) loss 3.21 2,100 sessions/s 12,300
 * events/s`
 */
export function windowLine({ result }: Extract<TrainerEvent, { type: 'windowDone' }>, state: ProgressState): string {
  const metrics = Object.entries(result.metrics).map(([label, value]) => `${label} ${formatMetric(value)}`);
  const differences = Object.values(state.toPopularity ?? {}).map(
    (value) => `${value < 0 ? '−' : '+'}${formatMetric(Math.abs(value))}`,
  );
  const beside = differences.length > 0 ? [`(to popularity ${differences.join(' ')})`] : [];
  return [state.where, ...metrics, ...beside, ...speedParts(state)].join(' ');
}

/** `sasrec: about 330 MB of memory at most (weights 9, optimizer 17, copies 26, a step 118, the rest of the process 160)` */
export function memoryLine(
  model: string,
  { weights, optimizer, average, copies, step, process, peak }: MemoryEstimate,
): string {
  const megabytes = (bytes: number) => formatCount(Math.round(bytes / 1e6));
  const averaged = average > 0 ? `average ${megabytes(average)}, ` : '';
  const copied = copies > 0 ? `copies ${megabytes(copies)}, ` : '';
  return (
    `${model}: about ${megabytes(peak)} MB of memory at most (weights ${megabytes(weights)}, optimizer ` +
    `${megabytes(optimizer)}, ${averaged}${copied}a step ${megabytes(step)}, the rest of the process ${megabytes(process - weights)})`
  );
}

/** `━━━━────  42 % 1:10 left window 3/7 … epoch 2/3 step 40/90 loss 3.21 rate 0.001 2,100 sessions/s 12,300 events/s` */
export function barLine(state: ProgressState): string {
  return barParts(state).join(' ');
}

/** The same in as many lines as it takes where a line has so many letters: nothing is cut off that fits a line. */
export function barLines(state: ProgressState, width: number): string[] {
  const lines: string[] = [];
  for (const part of barParts(state)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= width) lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(part.slice(0, width));
  }
  return lines;
}

function barParts(state: ProgressState): string[] {
  const filled = Math.round(state.share * BAR_WIDTH);
  const percent = `${String(Math.floor(state.share * 100)).padStart(3)} %`;
  return [
    `${'━'.repeat(filled)}${'─'.repeat(BAR_WIDTH - filled)} ${percent}`,
    ...(state.remainingSeconds === undefined ? [] : [`${formatDuration(state.remainingSeconds)} left`]),
    state.where,
    ...(state.epoch === undefined ? [] : [`epoch ${state.epoch} step ${state.step}`]),
    ...speedParts(state),
  ];
}

function speedParts({ loss, learningRate, sessionsPerSecond, eventsPerSecond }: ProgressState): string[] {
  const parts: string[] = [];
  if (loss !== undefined) parts.push(`loss ${loss.toFixed(2)}`);
  if (learningRate !== undefined) parts.push(`rate ${Number(learningRate.toPrecision(3))}`);
  if (sessionsPerSecond !== undefined) parts.push(`${formatCount(sessionsPerSecond)} sessions/s`);
  if (eventsPerSecond !== undefined) parts.push(`${formatCount(eventsPerSecond)} events/s`);
  return parts;
}
