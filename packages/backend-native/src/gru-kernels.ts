import type { FusedKernels, GruArgs } from '@nimue/ops';
import type { NativeBackend } from './native-backend.ts';

/** One layer of gated recurrent units over time; `saved` [T, 4 D] holds the gates. */
export function createGruKernels(backend: NativeBackend) {
  const { addon } = backend;
  const inputs = ({ x, offsets, inputWeights, recurrentWeights, inputBias, recurrentBias }: GruArgs) => [
    offsets.length - 1,
    x.shape[0],
    x.shape[1],
    recurrentWeights.shape[0],
    backend.floats(x),
    offsets,
    backend.floats(inputWeights),
    backend.floats(recurrentWeights),
    backend.floats(inputBias),
    backend.floats(recurrentBias),
  ];
  return {
    gru(args) {
      const width = args.recurrentWeights.shape[0];
      const y = backend.output([args.x.shape[0], width]);
      const saved = backend.output([args.x.shape[0], 4 * width]);
      addon.gru(...inputs(args), y.values, saved.values);
      return { y: backend.tensor(y), saved: backend.tensor(saved) };
    },
    gruGradient(args) {
      const dx = backend.output(args.x.shape);
      const dInputWeights = backend.output(args.inputWeights.shape);
      const dRecurrentWeights = backend.output(args.recurrentWeights.shape);
      const dInputBias = backend.output(args.inputBias.shape);
      const dRecurrentBias = backend.output(args.recurrentBias.shape);
      addon.gruGradient(
        ...inputs(args),
        backend.floats(args.dy),
        backend.floats(args.y),
        backend.floats(args.saved),
        dx.values,
        dInputWeights.values,
        dRecurrentWeights.values,
        dInputBias.values,
        dRecurrentBias.values,
      );
      return {
        x: backend.tensor(dx),
        inputWeights: backend.tensor(dInputWeights),
        recurrentWeights: backend.tensor(dRecurrentWeights),
        inputBias: backend.tensor(dInputBias),
        recurrentBias: backend.tensor(dRecurrentBias),
      };
    },
  } satisfies FusedKernels;
}
