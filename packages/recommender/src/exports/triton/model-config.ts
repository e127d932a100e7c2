/** A tensor in a `config.pbtxt`. */
export interface TritonTensor {
  readonly name: string;
  readonly type: 'TYPE_INT64' | 'TYPE_FP32' | 'TYPE_FP64' | 'TYPE_STRING';
  /** Without the batch; −1 where the size is free. */
  readonly dims: readonly number[];
}

/** One step of an ensemble: names within the step → names within the ensemble. */
export interface TritonStep {
  readonly model: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface TritonConfig {
  readonly name: string;
  readonly backend: 'onnxruntime' | 'python' | 'ensemble';
  readonly maxBatchSize: number;
  readonly inputs: readonly TritonTensor[];
  readonly outputs: readonly TritonTensor[];
  readonly steps?: readonly TritonStep[];
}

/** The text of a `config.pbtxt` (ModelConfig of Triton Inference Server, in protocol buffers' text format). */
export function tritonConfig({ name, backend, maxBatchSize, inputs, outputs, steps }: TritonConfig): string {
  const lines = [
    `name: ${quoted(name)}`,
    backend === 'ensemble' ? 'platform: "ensemble"' : `backend: ${quoted(backend)}`,
    `max_batch_size: ${maxBatchSize}`,
    ...inputs.flatMap((tensor) => tensorLines('input', tensor)),
    ...outputs.flatMap((tensor) => tensorLines('output', tensor)),
    // Requests that come together are answered by one pass.
    ...(backend === 'onnxruntime' ? ['dynamic_batching { max_queue_delay_microseconds: 500 }'] : []),
    ...(steps ? ['ensemble_scheduling {', ...steps.flatMap(stepLines), '}'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function tensorLines(side: string, { name, type, dims }: TritonTensor): string[] {
  return [`${side} {`, `  name: ${quoted(name)}`, `  data_type: ${type}`, `  dims: [ ${dims.join(', ')} ]`, '}'];
}

function stepLines({ model, inputs, outputs }: TritonStep): string[] {
  const maps = (side: string, names: Readonly<Record<string, string>>) =>
    Object.entries(names).map(([key, value]) => `    ${side} { key: ${quoted(key)} value: ${quoted(value)} }`);
  return [
    '  step {',
    `    model_name: ${quoted(model)}`,
    '    model_version: -1',
    ...maps('input_map', inputs),
    ...maps('output_map', outputs),
    '  }',
  ];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
