// Asks ONNX models in a process of its own: arrays of the native runtime are not those of a test's realm.
// stdin: [{ model, feeds: [{ <input>: { type, dims, data } }] }] → stdout: per model and feed { <output>: { dims, data } }
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const answers = [];
for (const { model, feeds } of JSON.parse(readFileSync(0, 'utf8'))) {
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const own = [];
  for (const feed of feeds) {
    const tensors = Object.fromEntries(
      session.inputNames.map((name) => {
        const { type, dims, data } = feed[name];
        return [
          name,
          new Tensor(type, type === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data), dims),
        ];
      }),
    );
    const outputs = await session.run(tensors);
    own.push(
      Object.fromEntries(
        Object.entries(outputs).map(([name, { dims, data }]) => [name, { dims, data: Array.from(data, Number) }]),
      ),
    );
  }
  answers.push(own);
}
process.stdout.write(JSON.stringify(answers));
