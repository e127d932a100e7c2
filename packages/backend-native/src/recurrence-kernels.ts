import type { FusedKernels, LinearRecurrenceArgs } from '@nimue/ops';
import type { NativeBackend } from './native-backend.ts';

/** A diagonal complex linear recurrence within each session. */
export function createRecurrenceKernels(backend: NativeBackend) {
  const { addon } = backend;
  const inputs = ({ x, offsets, decay }: LinearRecurrenceArgs) => [
    offsets.length - 1,
    x.shape[0],
    decay.shape[1],
    offsets,
    backend.floats(decay),
  ];
  return {
    linearRecurrence(args) {
      const y = backend.output(args.x.shape);
      addon.recurrence(...inputs(args), backend.floats(args.x), y.values);
      return backend.tensor(y);
    },
    linearRecurrenceGradient(args) {
      const dx = backend.output(args.x.shape);
      const dDecay = backend.output(args.decay.shape);
      const saved = [backend.floats(args.y), backend.floats(args.dy)];
      addon.recurrenceGradient(...inputs(args), ...saved, dx.values, dDecay.values);
      return { x: backend.tensor(dx), decay: backend.tensor(dDecay) };
    },
  } satisfies FusedKernels;
}
