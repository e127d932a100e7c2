"""Stands for the module that Triton lends to its Python models; a tensor comes out as it would arrive."""

import numpy as np


class Tensor:
    def __init__(self, name, values):
        if not isinstance(values, np.ndarray):
            raise TypeError(f"{name}: expected a numpy array, got {type(values)}")
        self._name = name
        self._values = as_bytes(values) if values.dtype == np.object_ else np.ascontiguousarray(values)

    def name(self):
        return self._name

    def as_numpy(self):
        return self._values


class TritonError:
    def __init__(self, message):
        self._message = message

    def message(self):
        return self._message


class InferenceResponse:
    def __init__(self, output_tensors=None, error=None):
        if error is not None:
            raise RuntimeError(error.message())
        self._tensors = list(output_tensors)

    def output_tensors(self):
        return self._tensors


class InferenceRequest:
    def __init__(self, tensors):
        self._tensors = [Tensor(name, values) for name, values in tensors.items()]

    def inputs(self):
        return self._tensors


def get_input_tensor_by_name(request, name):
    return next((tensor for tensor in request.inputs() if tensor.name() == name), None)


def as_bytes(values):
    """Strings travel as bytes: str is written in UTF-8."""
    flat = [value if isinstance(value, bytes) else str(value).encode("utf-8") for value in values.ravel()]
    own = np.empty(len(flat), dtype=np.object_)
    own[:] = flat
    return own.reshape(values.shape)
