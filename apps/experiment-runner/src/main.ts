import { endWithReader } from './cli/closed-pipe.ts';
import { EXIT } from './cli/exit-codes.ts';
import { main } from './cli/program.ts';

endWithReader([process.stdout, process.stderr]);
process.exitCode = await main(process.argv.slice(2));
// A step that cannot be stopped may still be under way; nobody waits for it any more.
if (process.exitCode === EXIT.interrupted) process.exit();
