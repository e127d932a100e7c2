import type { DataType, Tensor, TensorInfo, Variable } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { BufferPool } from './buffer-pool.ts';
import type { NativeAddon } from './native-addon.ts';

export const BACKEND_NAME = 'native';

type Values = tf.backend_util.BackendValues;

/** Where a kernel writes, and the tensor that it becomes. */
export interface Output {
  readonly values: Float32Array;
  readonly info: TensorInfo;
}

/**
 * The plain CPU backend with pooled memory. Its tensors are typed arrays that the C++ kernels read and write in place;
 * every operation without a C++ kernel runs the CPU backend's JavaScript.
 */
export class NativeBackend extends MathBackendCPU {
  readonly addon: NativeAddon;
  readonly pool: BufferPool;
  private nextId = 0;

  constructor(addon: NativeAddon) {
    super();
    this.addon = addon;
    this.pool = new BufferPool((buffer) => addon.prepareBuffer(buffer), process.env.NIMUE_NATIVE_POOL !== 'off');
  }

  /** Pooled memory is never shared: JavaScript kernels that return a view of their input (slice, split) get a copy. */
  override write(values: Values, _shape: number[], dtype: DataType): object {
    const dataId = { id: this.nextId++ };
    const isView = values !== null && ArrayBuffer.isView(values) && this.pool.owns(values as Float32Array);
    this.data.set(dataId, { values: isView ? (values as Float32Array).slice() : values, dtype, refCount: 1 });
    return dataId;
  }

  /** What leaves the backend is a copy, since pooled memory is written again after the tensor's disposal. */
  override readSync(dataId: object): Values {
    const values = super.readSync(dataId);
    return values instanceof Float32Array && this.pool.owns(values) ? values.slice() : values;
  }

  override disposeData(dataId: object, force = false): boolean {
    const values = this.data.has(dataId) ? this.data.get(dataId).values : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && values instanceof Float32Array && this.pool.owns(values))
      this.pool.release(values.buffer as ArrayBuffer);
    return gone;
  }

  /** The array behind a float32 tensor: to be read only, and only until the tensor is disposed. */
  floats(tensor: TensorInfo): Float32Array {
    const { values } = this.data.get(tensor.dataId);
    if (values instanceof Float32Array) return values;
    if (tensor.dtype !== 'float32' || values === undefined || values === null) {
      throw new Error(`native backend: expected a float32 tensor, got ${tensor.dtype}`);
    }
    return Float32Array.from(values as unknown as ArrayLike<number>);
  }

  integers(tensor: TensorInfo): Int32Array {
    const { values } = this.data.get(tensor.dataId);
    if (values instanceof Int32Array) return values;
    throw new Error(`native backend: expected an int32 tensor, got ${tensor.dtype}`);
  }

  /** Pooled memory for a new tensor, with undefined content. */
  output(shape: readonly number[]): Output {
    let size = 1;
    for (const n of shape) size *= n;
    const values = this.pool.take(size);
    const dataId = { id: this.nextId++ };
    this.data.set(dataId, { values, dtype: 'float32', refCount: 1 });
    return { values, info: { dataId, shape: [...shape], dtype: 'float32' } };
  }

  tensor<T extends Tensor>(output: Output): T {
    return tf.engine().makeTensorFromTensorInfo(output.info, this) as T;
  }

  /**
   * The variable's array for writing in place. Memory that someone else may hold (the caller's own array, another tensor
   * of the same data) is replaced by a copy of its own first.
   */
  writableFloats(variable: Variable): Float32Array {
    const values = this.floats(variable);
    if (this.pool.owns(values) && this.refCount(variable.dataId) === 1) return values;
    const own = this.output(variable.shape);
    own.values.set(values);
    const tensor = this.tensor<Tensor>(own);
    variable.assign(tensor);
    tensor.dispose();
    return own.values;
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }
}
