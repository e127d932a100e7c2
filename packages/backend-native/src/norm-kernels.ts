import type { FusedKernels } from '@nimue/ops';
import { dropoutNumbers } from './dropout-numbers.ts';
import type { NativeBackend } from './native-backend.ts';

/** norm(residual + dropout(x)) · gamma + beta and its gradient. */
export function createNormKernels(backend: NativeBackend) {
  const { addon } = backend;
  return {
    residualNorm({ x, residual, gamma, beta, kind, epsilon, dropout }) {
      const [rows, width] = x.shape;
      const y = backend.output(x.shape);
      const rowStats = backend.output([rows, 2]);
      addon.norm(
        rows,
        width,
        kind === 'rms' ? 1 : 0,
        epsilon,
        ...dropoutNumbers(dropout),
        backend.floats(x),
        residual && backend.floats(residual),
        backend.floats(gamma),
        beta && backend.floats(beta),
        rowStats.values,
        y.values,
      );
      return { y: backend.tensor(y), rowStats: backend.tensor(rowStats) };
    },
    residualNormGradient({ x, residual, gamma, beta, kind, epsilon, dropout, dy, rowStats }) {
      const [rows, width] = x.shape;
      const dx = backend.output(x.shape);
      const dResidual = residual && backend.output(x.shape);
      const dGamma = backend.output([width]);
      const dBeta = beta && backend.output([width]);
      addon.normGradient(
        rows,
        width,
        kind === 'rms' ? 1 : 0,
        epsilon,
        ...dropoutNumbers(dropout),
        backend.floats(x),
        residual && backend.floats(residual),
        backend.floats(gamma),
        beta && backend.floats(beta),
        backend.floats(rowStats),
        backend.floats(dy),
        dx.values,
        dResidual?.values,
        dGamma.values,
        dBeta?.values,
      );
      return {
        x: backend.tensor(dx),
        residual: dResidual && backend.tensor(dResidual),
        gamma: backend.tensor(dGamma),
        beta: dBeta && backend.tensor(dBeta),
      };
    },
  } satisfies FusedKernels;
}
