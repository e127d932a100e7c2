/** What a server allows, with what it allows by default. */
export interface ServerLimits {
  /** Bytes of a request's body. */
  readonly maxBodyBytes: number;
  /** Items per list. */
  readonly maxK: number;
  /** Sessions and users per request. */
  readonly maxSessions: number;
  /** Events per session. */
  readonly maxEvents: number;
  /** Items in `candidates` or `exclude`. */
  readonly maxListedItems: number;
  /** Requests answered by one pass. */
  readonly maxBatch: number;
  /** Requests that may wait for an answer; more are told to come back (503). */
  readonly maxWaiting: number;
  /** Items added while it runs. */
  readonly maxAddedItems: number;
  /** Users whose histories are kept. */
  readonly maxUsers: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxBodyBytes: 262_144,
  maxK: 1000,
  maxSessions: 64,
  maxEvents: 1000,
  maxListedItems: 10_000,
  maxBatch: 64,
  maxWaiting: 2048,
  maxAddedItems: 10_000,
  maxUsers: 1_000_000,
};

export interface ServerOptions {
  readonly limits?: Partial<ServerLimits>;
  /** Asked of everyone who uses /v1, as `Authorization: Bearer …`. Default: no one is asked. */
  readonly token?: string;
  /** What is logged, as JSON lines on stderr. Default `warn`. */
  readonly logLevel?: 'silent' | 'error' | 'warn' | 'info';
}
