"""Stands for Triton's client and for the server behind it: runs the ensemble as its configurations say, here.

STAND_IN is JSON: {"repository": folder, "configs": {model: parsed config.pbtxt}, "runtime": command that answers the ONNX
models}.
"""

import importlib.util
import json
import os
import subprocess

import numpy as np
import triton_python_backend_utils as pb_utils

NUMPY = {"TYPE_INT64": np.int64, "TYPE_FP32": np.float32, "TYPE_FP64": np.float64, "TYPE_STRING": np.object_}
CLIENT = {"INT64": np.int64, "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_}


class InferInput:
    def __init__(self, name, shape, datatype):
        self.name, self.shape, self.datatype, self.values = name, shape, datatype, None

    def set_data_from_numpy(self, values):
        if values.dtype != CLIENT[self.datatype]:
            raise ValueError(f"{self.name}: got {values.dtype}, expected {self.datatype}")
        if tuple(self.shape) != values.shape:
            raise ValueError(f"{self.name}: got {values.shape}, expected {self.shape}")
        self.values = pb_utils.as_bytes(values) if self.datatype == "BYTES" else values
        return self


class InferenceServerClient:
    def __init__(self, url):
        if "://" in url:
            raise ValueError("url should not include the scheme")
        self._server = json.loads(os.environ["STAND_IN"])

    def infer(self, model_name, inputs):
        return InferResult(run(self._server, model_name, {one.name: one.values for one in inputs}))


class InferResult:
    def __init__(self, tensors):
        self._tensors = tensors

    def as_numpy(self, name):
        return self._tensors.get(name)


def run(server, name, tensors):
    config = server["configs"][name]
    check(name, config, "input", tensors)
    if config.get("platform") == "ensemble":
        outputs = run_ensemble(server, config, tensors)
    elif config["backend"] == "python":
        outputs = run_python(server, name, tensors)
    else:
        outputs = run_onnx(server, name, tensors)
    wanted = {tensor["name"] for tensor in config["output"]}
    outputs = {key: values for key, values in outputs.items() if key in wanted}
    check(name, config, "output", outputs)
    return outputs


def check(name, config, side, tensors):
    """As the server refuses what does not fit the configuration."""
    declared = {tensor["name"]: tensor for tensor in config[side]}
    if set(tensors) != set(declared):
        raise ValueError(f"{name}: {side}s are {sorted(tensors)}, expected {sorted(declared)}")
    batch = {values.shape[0] for values in tensors.values()}
    if len(batch) != 1 or max(batch) > config["maxBatchSize"]:
        raise ValueError(f"{name}: batches of {batch}, expected one of at most {config['maxBatchSize']}")
    for key, values in tensors.items():
        dims, dtype = declared[key]["dims"], NUMPY[declared[key]["dataType"]]
        fits = values.ndim == 1 + len(dims) and all(d in (-1, n) for d, n in zip(dims, values.shape[1:]))
        if not fits or values.dtype != dtype:
            raise ValueError(f"{name}: {key} is {values.dtype} {values.shape}, expected {dtype} [batch, {dims}]")


def run_ensemble(server, config, tensors):
    known = dict(tensors)
    for step in config["ensembleScheduling"]["step"]:
        given = {inner: known[outer] for inner, outer in step["inputMap"].items()}
        made = run(server, step["modelName"], given)
        known.update({outer: made[inner] for inner, outer in step["outputMap"].items()})
    return known


def run_python(server, name, tensors):
    path = os.path.join(server["repository"], name, "1", "model.py")
    spec = importlib.util.spec_from_file_location(f"{name}_model", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.TritonPythonModel()
    model.initialize({"model_config": json.dumps(server["configs"][name]), "model_name": name, "model_version": "1"})
    # The server hands over all requests that wait.
    requests = [pb_utils.InferenceRequest(tensors), pb_utils.InferenceRequest(tensors)]
    responses = model.execute(requests)
    if len(responses) != len(requests):
        raise ValueError(f"{name}: {len(responses)} responses to {len(requests)} requests")
    return {tensor.name(): tensor.as_numpy() for tensor in responses[1].output_tensors()}


def run_onnx(server, name, tensors):
    types = {np.dtype(np.int64): "int64", np.dtype(np.float32): "float32"}
    feed = {
        key: {"type": types[values.dtype], "dims": values.shape, "data": values.ravel().tolist()}
        for key, values in tensors.items()
    }
    path = os.path.join(server["repository"], name, "1", "model.onnx")
    question = json.dumps([{"model": path, "feeds": [feed]}])
    answer = subprocess.run(server["runtime"], input=question, capture_output=True, text=True, check=True).stdout
    dtypes = {tensor["name"]: NUMPY[tensor["dataType"]] for tensor in server["configs"][name]["output"]}
    return {
        key: np.array(tensor["data"], dtype=dtypes.get(key, np.float32)).reshape(tensor["dims"])
        for key, tensor in json.loads(answer)[0][0].items()
    }
