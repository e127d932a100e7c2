import type { FusedKernels, SampledForm } from '@nimue/ops';
import type { NativeBackend } from './native-backend.ts';
import { usesBfloat16 } from './product-precision.ts';

/** Numbers of the forms in `native/kernel-table.h`; BCE is gBCE with the power 1. */
const FORM_NUMBERS: Readonly<Record<SampledForm, number>> = {
  softmax: 0,
  bce: 1,
  gbce: 1,
  bprMax: 2,
  top1Max: 3,
  bpr: 4,
  top1: 5,
};

/** Loss and gradients in one pass: softmax cross-entropy over the whole catalogue, and losses on sampled negatives. */
export function createHeadKernels(backend: NativeBackend) {
  const { addon } = backend;
  return {
    softmaxHead({ hidden, table, bias, targetIds, firstRow, temperature, labelSmoothing, precision, withGradients }) {
      const [rows, width] = hidden.shape;
      if (rows > 0 && firstRow >= table.shape[0]) {
        throw new Error(`softmaxHead: the table has ${table.shape[0]} rows, all reserved; expected at least one item`);
      }
      const dHidden = withGradients ? backend.output(hidden.shape) : undefined;
      const dTable = withGradients ? backend.output(table.shape) : undefined;
      const dBias = withGradients && bias ? backend.output(bias.shape) : undefined;
      const loss = backend.output([]);
      loss.values[0] = addon.head(
        rows,
        table.shape[0],
        width,
        Math.min(firstRow, Math.max(0, table.shape[0] - 1)),
        temperature,
        labelSmoothing,
        usesBfloat16(addon, precision) ? 1 : 0,
        backend.floats(hidden),
        backend.floats(table),
        bias && backend.floats(bias),
        targetIds,
        dHidden?.values,
        dTable?.values,
        dBias?.values,
      );
      return {
        loss: backend.tensor(loss),
        hidden: dHidden && backend.tensor(dHidden),
        table: dTable && backend.tensor(dTable),
        bias: dBias && backend.tensor(dBias),
      };
    },
    sampledHead(args) {
      const { hidden, table, bias, targetIds, negativeIds, numNegatives, isShared, logQ, form, withGradients } = args;
      const { excludedPlaces } = args;
      const dHidden = withGradients ? backend.output(hidden.shape) : undefined;
      const dTable = withGradients ? backend.output(table.shape) : undefined;
      const dBias = withGradients && bias ? backend.output(bias.shape) : undefined;
      const loss = backend.output([]);
      loss.values[0] = addon.sampledHead(
        hidden.shape[0],
        table.shape[0],
        hidden.shape[1],
        numNegatives,
        isShared ? 1 : 0,
        FORM_NUMBERS[form],
        form === 'bprMax' ? args.bpreg : args.positivePower,
        args.elu,
        args.tanh ? 1 : 0,
        backend.floats(hidden),
        backend.floats(table),
        bias && backend.floats(bias),
        targetIds,
        negativeIds,
        excludedPlaces?.offsets,
        excludedPlaces?.places,
        logQ?.targets,
        logQ?.negatives,
        dHidden?.values,
        dTable?.values,
        dBias?.values,
      );
      return {
        loss: backend.tensor(loss),
        hidden: dHidden && backend.tensor(dHidden),
        table: dTable && backend.tensor(dTable),
        bias: dBias && backend.tensor(dBias),
      };
    },
  } satisfies FusedKernels;
}
