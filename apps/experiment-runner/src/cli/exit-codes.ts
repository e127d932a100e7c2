/** What the command tells its caller. */
export const EXIT = {
  ok: 0,
  /** Something went wrong while running. */
  failure: 1,
  /** The command line, the experiment file or the data are at fault. */
  input: 2,
  /** Stopped by Ctrl-C, as shells expect it: 128 + SIGINT. */
  interrupted: 130,
  /** Whoever read the output has gone: 128 + SIGPIPE. */
  closedPipe: 141,
} as const;
