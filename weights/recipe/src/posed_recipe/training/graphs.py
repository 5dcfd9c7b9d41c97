"""Forward and backward as one CUDA graph.

A step of a small model is thousands of kernels that run for some microseconds each, and a host that starts them one
by one is slower than they are. A graph is recorded once for each shape of batch and started as a whole.
"""

import dataclasses
import gc
import sys
import traceback
from contextlib import contextmanager

import torch

WARM_UP = 3
"""Runs before recording: compilers, cuDNN's choices and lazily made workspaces must be over by then."""


class Graphed:
    """A module that is called as ever, but goes backward at once: its parameters have their gradients when it returns.

    Arguments are tensors, dataclasses of them, and what stays the same. `record` makes a function of a run without
    arguments that repeats it on the same memory; where it cannot, what is called runs as written.
    """

    def __init__(self, module, record=None):
        self.module, self.record = module, record or Recorder()
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.recordings = {}

    def __call__(self, *arguments):
        """What the module gives, the loss first."""
        tensors, constants, rebuild = take_apart(arguments)
        key = (*((t.shape, t.dtype, t.stride()) for t in tensors), *map(id, constants))
        if key not in self.recordings:
            self.recordings[key] = Recording(self, tensors, rebuild)
        return self.recordings[key](tensors)

    def run(self, arguments):
        """Once forward and backward, into gradients of its own."""
        for parameter in self.parameters:
            parameter.grad = None
        loss, values = self.module(*arguments)
        loss.backward()
        return loss.detach(), values, [parameter.grad for parameter in self.parameters]


class Recording:
    """What is repeated for one shape of arguments."""

    def __init__(self, graphed, tensors, rebuild):
        self.graphed = graphed
        self.inputs = [tensor.clone() for tensor in tensors]
        arguments = rebuild(self.inputs)
        self.repeat = graphed.record(lambda: graphed.run(arguments))

    def __call__(self, tensors):
        for kept, tensor in zip(self.inputs, tensors, strict=True):
            kept.copy_(tensor)
        loss, values, gradients = self.repeat()
        for parameter, gradient in zip(self.graphed.parameters, gradients, strict=True):
            parameter.grad = gradient
        return loss, values


class Recorder:
    """Records runs as CUDA graphs, all in one pool of memory."""

    works = True
    """Not any more after a failure, whoever had it: the allocator may still believe that something is recorded."""

    def __init__(self):
        self.pool = self.stream = None

    def __call__(self, run):
        """A function that repeats the run and gives what it gave, in the same memory each time."""
        if not Recorder.works:
            return run
        current = torch.cuda.current_stream()
        if self.stream is None:
            self.stream = torch.cuda.Stream()
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            for _ in range(WARM_UP):
                run()
        current.wait_stream(self.stream)
        # Autocast keeps what it has cast: a graph that used it would never see the weights change.
        torch.clear_autocast_cache()
        graph = torch.cuda.CUDAGraph()
        # The stream is that of the warm-up, to which whatever was made there belongs. Other threads may go on using
        # the device: one fills the bank of pictures.
        recording = torch.cuda.graph(graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local")
        try:
            with without_collection(), recording:
                results = run()
        except RuntimeError:
            traceback.print_exc()
            print("a step cannot be recorded as a CUDA graph and runs without one", file=sys.stderr, flush=True)
            Recorder.works = False
            torch.cuda.set_stream(current)  # `graph` forgets this where it cannot end
            torch.cuda.synchronize()
            return run
        finally:
            torch.clear_autocast_cache()
        self.pool = self.pool or graph.pool()

        def repeat():
            graph.replay()
            return results

        return repeat


@contextmanager
def without_collection():
    """Collects garbage now and not within: destroying an older graph or a kernel would spoil the one in the making."""
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def take_apart(arguments):
    """All tensors of the arguments, all else, and a function that puts other tensors in their places."""
    tensors, constants = [], []

    def visit(value):
        if isinstance(value, torch.Tensor):
            tensors.append(value)
            place = len(tensors) - 1
            return lambda others: others[place]
        if not dataclasses.is_dataclass(value):
            constants.append(value)
            return lambda others: value
        fields = {field.name: visit(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return lambda others: type(value)(**{name: make(others) for name, make in fields.items()})

    makers = [visit(argument) for argument in arguments]
    return tensors, constants, lambda others: [make(others) for make in makers]
