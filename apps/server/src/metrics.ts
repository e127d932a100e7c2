import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What Prometheus reads at /metrics. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Counter({
      name: 'nimue_http_requests_total',
      help: 'Requests answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    seconds: new Histogram({
      name: 'nimue_http_request_seconds',
      help: 'Time from a request to its answer',
      labelNames: ['route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    batchSizes: new Histogram({
      name: 'nimue_batch_size',
      help: 'Requests for recommendations answered by one pass of the model',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
      registers,
    }),
    lists: new Counter({ name: 'nimue_lists_total', help: 'Lists of recommendations given', registers }),
    unsupported: new Counter({
      name: 'nimue_unsupported_sessions_total',
      help: 'Sessions without a known item, and unknown users',
      registers,
    }),
    loads: new Counter({
      name: 'nimue_model_loads_total',
      help: 'Models loaded, or found unfit',
      labelNames: ['result'],
      registers,
    }),
    model: new Gauge({
      name: 'nimue_model_info',
      help: '1 for the model that answers',
      labelNames: ['label', 'trained_until'],
      registers,
    }),
    items: new Gauge({ name: 'nimue_model_items', help: 'Items that can be recommended', registers }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
