/** Lines for the person at the terminal. */
export interface Logger {
  info(line: string): void;
  /** Something that the person should know but that stops nothing. */
  warn(line: string): void;
}

/** A place for text: a terminal, a file, an array in a test. */
export interface LineSink {
  write(text: string): unknown;
}

/**
 * @param out where `info` goes
 * @param err where `warn` goes
 */
export function createLogger(out: LineSink, err: LineSink): Logger {
  return {
    info: (line) => void out.write(`${line}\n`),
    warn: (line) => void err.write(`warning: ${line}\n`),
  };
}
