import { PYTHON_FEATURES } from './python-features.ts';

/** What the step before the model is told in `prepare.json`. */
export interface PrepareConfig {
  readonly ids: readonly string[];
  readonly max_length: number | null;
  /** Whether it is given `timestamps_ms`. */
  readonly has_times: boolean;
  /** Inputs that are columns of the log. */
  readonly columns: readonly string[];
  /** Outputs beside the item ids: `padded_timestamps_ms`, or `padded_feature_<name>`. */
  readonly outputs: readonly { readonly name: string; readonly of: string; readonly dtype: 'int64' | 'float32' }[];
  /** What the feature pipeline saved. */
  readonly features: readonly unknown[];
}

const IMPORTS = `import json
import os

import numpy as np
import triton_python_backend_utils as pb_utils
`;

/**
 * `model.py` of the step before the model, for Triton's Python backend: raw item ids → `item_ids`, padded, without unknown
 * items, cut to the newest; columns of the log → features, as they go along with their events.
 */
export function prepareModel(hasFeatures: boolean): string {
  return `${IMPORTS}
${hasFeatures ? `${PYTHON_FEATURES.trimEnd()}\n` : 'FEATURES = {}\n'}
PADDING, UNKNOWN, FIRST_ITEM = 0, 1, 3
# Stands for an event where a session has none; no log can hold it.
NOTHING = "\\0nothing"


class Session:
    """One session as the model is to see it: the ids of its events, and a list of values per feature."""

    def __init__(self, items, times, columns, id_of, features, max_length):
        there = [i for i, item in enumerate(items) if item != ""]
        items = [items[i] for i in there] or [NOTHING]
        times = [times[i] for i in there] or [0]
        missing = {name: ["" if isinstance(cells[0], str) else float("nan")] for name, cells in columns.items()}
        columns = {name: [cells[i] for i in there] or missing[name] for name, cells in columns.items()}
        values = {"timestamps_ms": times}
        for make in features:
            values.update(make(Events(items, times, columns)))
        known = [i for i, item in enumerate(items) if item in id_of]
        # A session of nothing that is known shows its newest event, as an unknown item.
        shown = (known or [len(items) - 1])[-(max_length or len(items)) :]
        self.ids = [id_of.get(items[i], UNKNOWN) for i in shown]
        self.values = {name: [column[i] for i in shown] for name, column in values.items()}


def padded(rows, length, dtype):
    array = np.zeros((len(rows), length), dtype)
    for row, values in zip(array, rows):
        row[: len(values)] = values
    return array


class TritonPythonModel:
    def initialize(self, args):
        folder = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(folder, "prepare.json"), encoding="utf-8") as file:
            self.config = json.load(file)
        self.id_of = {item: FIRST_ITEM + i for i, item in enumerate(self.config["ids"])}
        self.features = [FEATURES[one["config"]["name"]](one["config"], one["state"]) for one in self.config["features"]]

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        def given(name):
            values = pb_utils.get_input_tensor_by_name(request, name).as_numpy()
            if values.dtype != np.object_:
                return values.tolist()
            return [[cell.decode("utf-8") for cell in row] for row in values]

        items = given("items")
        times = given("timestamps_ms") if self.config["has_times"] else [list(range(len(row))) for row in items]
        columns = {name: given(name) for name in self.config["columns"]}
        max_length = self.config["max_length"]
        try:
            sessions = [
                Session(row, times[b], {name: cells[b] for name, cells in columns.items()}, self.id_of, self.features, max_length)
                for b, row in enumerate(items)
            ]
        except ValueError as error:
            return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(str(error)))
        # Few different lengths, so that requests can be answered together.
        length = -(-max(len(session.ids) for session in sessions) // 8) * 8
        if max_length is not None:
            length = min(length, max_length)
        tensors = [pb_utils.Tensor("item_ids", padded([session.ids for session in sessions], length, np.int64))]
        for output in self.config["outputs"]:
            rows = [session.values[output["of"]] for session in sessions]
            tensors.append(pb_utils.Tensor(output["name"], padded(rows, length, np.dtype(output["dtype"]))))
        return pb_utils.InferenceResponse(output_tensors=tensors)
`;
}

/** `model.py` of the step after the model: places in the list of items → raw item ids. */
export const NAME_MODEL = `${IMPORTS}

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

/** `client.py`: asks the ensemble over HTTP. @param columns what it asks for beside the items, one value per item */
export function clientExample(
  ensemble: string,
  columns: readonly { readonly name: string; readonly type: string; readonly numpy: string }[],
): string {
  const names = columns.map(({ name }) => name).join(', ');
  const about =
    columns.length > 0
      ? `\n    columns: of ${names}, per session one value per item; without them they are missing, times 0`
      : '';
  const parameter = columns.length > 0 ? ', **columns' : '';
  const constant = `MISSING = {"BYTES": "", "FP64": np.nan, "INT64": 0}
COLUMNS = {${columns.map(({ name, type, numpy }) => `"${name}": ("${type}", np.${numpy})`).join(', ')}}\n\n\n`;
  const others =
    columns.length > 0
      ? `    for name, (datatype, dtype) in COLUMNS.items():
        values = np.full(items.shape, MISSING[datatype], dtype)
        for row, session in enumerate(columns.get(name, [])):
            values[row, : len(session)] = session
        inputs.append(httpclient.InferInput(name, values.shape, datatype))
        inputs[-1].set_data_from_numpy(values)
`
      : '';
  return `"""Asks the model '${ensemble}' for the next items of sessions.

    pip install tritonclient[http] numpy
    python client.py localhost:8000 "item1,item2" "item7"
"""
import sys

import numpy as np
import tritonclient.http as httpclient

${columns.length > 0 ? constant : '\n'}def recommend(url, sessions${parameter}):
    """For each session a list of (item, score), best first.

    sessions: lists of raw item ids, oldest first${about}
    """
    longest = max(1, *(len(session) for session in sessions))
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
