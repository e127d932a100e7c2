import { BestWeights } from './best-weights.ts';
import { LOSS, observeValidation, type StoppingState } from './early-stopping.ts';
import type { Snapshot } from './snapshot.ts';
import type { TrainingConfig } from './training-schema.ts';

export interface ValidatedEpoch {
  /** 1-based. */
  readonly epoch: number;
  readonly isLast: boolean;
  /** Mean training loss of the epoch. */
  readonly loss: number;
}

export interface Validation {
  /** Metric → its value on the validation sessions; empty for an epoch that is not looked at. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Metrics that are better than ever in this window. */
  readonly improved: readonly string[];
  readonly stops: boolean;
}

/** Looks at the model after epochs of a window: keeps its best moments and says when to stop. */
export class WindowValidation {
  readonly best = new BestWeights();
  stopping: StoppingState = { numBad: 0 };
  readonly #config: Pick<TrainingConfig, 'earlyStopping' | 'keepBest' | 'validateEvery'>;

  constructor(config: Pick<TrainingConfig, 'earlyStopping' | 'keepBest' | 'validateEvery'>) {
    this.#config = config;
  }

  /** Metrics that are watched, `loss` included, each once. */
  get watched(): readonly string[] {
    const { earlyStopping, keepBest = [] } = this.#config;
    return [...new Set([...(earlyStopping ? [earlyStopping.metric] : []), ...keepBest])];
  }

  /** A new window begins. */
  restart(): void {
    this.best.clear();
    this.stopping = { numBad: 0 };
  }

  /**
   * @param measure the metrics on the validation sessions; where it throws nothing has changed
   * @param take what the model is now
   */
  async observe(
    { epoch, isLast, loss }: ValidatedEpoch,
    measure: (metrics: readonly string[]) => Promise<Record<string, number>>,
    take: () => Snapshot,
  ): Promise<Validation> {
    const { earlyStopping, validateEvery = 1 } = this.#config;
    const { watched } = this;
    if (watched.length === 0 || (epoch % validateEvery !== 0 && !isLast)) {
      return { metrics: {}, improved: [], stops: false };
    }
    const measured = watched.filter((metric) => metric !== LOSS);
    const metrics = measured.length > 0 ? await measure(measured) : {};
    const valueBy = (metric: string) => (metric === LOSS ? loss : metrics[metric]);
    let snapshot: Snapshot | undefined;
    const takeOnce = () => {
      snapshot ??= take();
      return snapshot;
    };
    const improved = watched.filter((metric) => this.best.offer(metric, valueBy(metric), epoch, takeOnce));
    if (!earlyStopping) return { metrics, improved, stops: false };
    this.stopping = observeValidation(this.stopping, valueBy(earlyStopping.metric), earlyStopping);
    return { metrics, improved, stops: this.stopping.numBad >= earlyStopping.patience };
  }
}
