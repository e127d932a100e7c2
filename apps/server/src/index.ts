export { createServer, type NimueServer } from './create-server.ts';
export { MicroBatcher, type MicroBatcherOptions } from './micro-batcher.ts';
export { ServedModel } from './served-model.ts';
export { DEFAULT_LIMITS, type ServerLimits, type ServerOptions } from './server-options.ts';
export { UnavailableError } from './unavailable-error.ts';
