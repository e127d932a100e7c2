import { fetchDataset } from '@nimue/data';
import { specOf } from '../data/choose-log.ts';
import { formatCount } from '../report/format.ts';
import { asInput } from '../run/input-step.ts';
import { watchInterrupt } from './interrupt.ts';

export interface DataFetchCommandOptions {
  readonly path: string;
  readonly json?: boolean;
}

const PROGRESS_EVERY_MS = 500;

/** `nimue data fetch <name>` */
export async function dataFetchCommand(name: string, { path, json }: DataFetchCommandOptions): Promise<void> {
  const spec = specOf(name);
  process.stderr.write(
    `${spec.title}\nsource: ${spec.source}\nlicence: ${spec.licence}; read its terms before you use it\n`,
  );
  if (spec.download) process.stderr.write(`downloading ${spec.download.url}\n`);
  const interrupt = watchInterrupt(() => process.stderr.write('\nstopping; the same command goes on from here\n'));
  let shownMs = Number.NEGATIVE_INFINITY;
  const onProgress = (done: number, total: number | undefined) => {
    if (!process.stderr.isTTY || performance.now() - shownMs < PROGRESS_EVERY_MS) return;
    shownMs = performance.now();
    const of = total === undefined ? '' : ` of ${megabytes(total)}`;
    process.stderr.write(`\r${megabytes(done)}${of} MB `);
  };
  try {
    const fetched = await asInput('', () => fetchDataset(spec, { folder: path, signal: interrupt.signal, onProgress }));
    if (process.stderr.isTTY) process.stderr.write('\r');
    if (json) {
      process.stdout.write(`${JSON.stringify({ name, ...fetched }, null, 2)}\n`);
      return;
    }
    if (fetched.wasThere)
      process.stdout.write(`${fetched.file} is there already (${formatCount(fetched.bytes)} bytes)\n`);
    else {
      const checked = fetched.isVerified
        ? 'checksum fits'
        : `no checksum of the original is known; sha256 of what came: ${fetched.sha256}`;
      process.stdout.write(`wrote ${fetched.file} (${formatCount(fetched.bytes)} bytes); ${checked}\n`);
    }
    process.stdout.write(`next: nimue data describe ${name} --path ${path}\n`);
  } finally {
    interrupt.stop();
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
