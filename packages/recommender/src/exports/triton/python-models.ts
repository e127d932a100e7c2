/**
 * `model.py` of the step before the model, for Triton's Python backend: raw item ids → `item_ids`, padded, without unknown
 * items, cut to the newest. Columns of features and times go along with their events.
 */
export const PREPARE_MODEL = `import json
import os

import numpy as np
import triton_python_backend_utils as pb_utils

PADDING, UNKNOWN, FIRST_ITEM = 0, 1, 3


def prepare(sessions, columns, id_of, max_length):
    """Raw sessions to padded arrays.

    sessions: [B, N] of str, "" after the end of a session
    columns: {name: [B, N] array} that go along with the events
    returns item_ids [B, L] and the columns [B, L]
    """
    rows = []
    for raw in sessions:
        there = [i for i, item in enumerate(raw) if item != ""]
        known = [i for i in there if raw[i] in id_of]
        # A session of nothing that is known shows one unknown item.
        rows.append((known or there[-1:] or [None])[-(max_length or len(raw) or 1):])
    length = max((len(row) for row in rows), default=1)
    # Few different lengths, so that requests can be answered together.
    length = -(-length // 8) * 8
    if max_length is not None:
        length = min(length, max_length)
    item_ids = np.full((len(rows), length), PADDING, np.int64)
    taken = {name: np.zeros((len(rows), length), values.dtype) for name, values in columns.items()}
    for b, row in enumerate(rows):
        for place, event in enumerate(row):
            item_ids[b, place] = UNKNOWN if event is None else id_of.get(sessions[b][event], UNKNOWN)
            if event is not None:
                for name, values in columns.items():
                    taken[name][b, place] = values[b, event]
    return item_ids, taken


class TritonPythonModel:
    def initialize(self, args):
        folder = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(folder, "prepare.json"), encoding="utf-8") as file:
            config = json.load(file)
        self.id_of = {item: FIRST_ITEM + i for i, item in enumerate(config["ids"])}
        self.max_length = config["max_length"]
        self.columns = config["columns"]

    def execute(self, requests):
        responses = []
        for request in requests:
            raw = pb_utils.get_input_tensor_by_name(request, "items").as_numpy()
            sessions = [[item.decode("utf-8") for item in row] for row in raw]
            columns = {
                name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self.columns
            }
            item_ids, taken = prepare(sessions, columns, self.id_of, self.max_length)
            tensors = [pb_utils.Tensor("item_ids", item_ids)]
            tensors += [pb_utils.Tensor(f"padded_{name}", values) for name, values in taken.items()]
            responses.append(pb_utils.InferenceResponse(output_tensors=tensors))
        return responses
`;

/** `model.py` of the step after the model: places in the list of items → raw item ids. */
export const NAME_MODEL = `import json
import os

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        folder = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(folder, "items.json"), encoding="utf-8") as file:
            self.ids = np.array(json.load(file)["ids"], dtype=object)

    def execute(self, requests):
        responses = []
        for request in requests:
            places = pb_utils.get_input_tensor_by_name(request, "top_items").as_numpy()
            named = pb_utils.Tensor("recommended", self.ids[places])
            responses.append(pb_utils.InferenceResponse(output_tensors=[named]))
        return responses
`;

/** `client.py`: asks the ensemble over HTTP. */
export function clientExample(
  ensemble: string,
  extras: readonly { readonly name: string; readonly type: string; readonly numpy: string }[],
): string {
  const others = extras
    .map(
      ({ name, type, numpy }) =>
        `    values = np.zeros(items.shape, np.${numpy})  # one per item: ${name}
    inputs.append(httpclient.InferInput("${name}", values.shape, "${type}"))
    inputs[-1].set_data_from_numpy(values)
`,
    )
    .join('');
  return `"""Asks the model '${ensemble}' for the next items of sessions.

    pip install tritonclient[http] numpy
    python client.py localhost:8000 "item1,item2" "item7"
"""
import sys

import numpy as np
import tritonclient.http as httpclient


def recommend(url, sessions):
    """Raw item ids, oldest first -> for each session a list of (item, score), best first."""
    longest = max(len(session) for session in sessions)
    items = np.array([session + [""] * (longest - len(session)) for session in sessions], dtype=object)
    inputs = [httpclient.InferInput("items", items.shape, "BYTES")]
    inputs[0].set_data_from_numpy(items)
${others}    answer = httpclient.InferenceServerClient(url).infer("${ensemble}", inputs)
    names, scores = answer.as_numpy("recommended"), answer.as_numpy("scores")
    return [[(name.decode(), float(score)) for name, score in zip(*row)] for row in zip(names, scores)]


if __name__ == "__main__":
    for best in recommend(sys.argv[1], [session.split(",") for session in sys.argv[2:]]):
        print(best)
`;
}
