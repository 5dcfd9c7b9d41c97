"""What a peer in PyTorch comes to, in a process that can be ended: one JSON object, its `value` or its `errors`.

    peer.py ceiling|work|time|given ITEM PEER SECONDS

`ceiling`: TFLOP/s of a large product; `work`: the item's GFLOP; `time`: the peer's milliseconds for it; `given`: the
same for a velocity whose modulation vectors have been made before.
"""

import json
import statistics
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Peers"))
import peers  # noqa: E402


def matrix_ceiling():
    """TFLOP/s of a large bf16 product by PyTorch: what this machine gives, measured in this run."""
    size = 8192
    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    times = []
    for _ in range(12):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        a @ b
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return 2 * size**3 / statistics.median(times[2:]) / 1e9


def gigaflops(item):
    """Multiplications and additions of an item's products and convolutions in 1e9, counted without doing them."""
    from torch.utils.flop_counter import FlopCounterMode

    module, inputs = peers.build(item)
    module, inputs = module.to("meta"), [x.to("meta") for x in inputs]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(*inputs)
    return counter.get_total_flops() / 1e9


def with_vectors_given(module, inputs):
    """A velocity whose modulation vectors have been made before."""
    class Given(torch.nn.Module):
        def __init__(self, vectors):
            super().__init__()
            self.register_buffer("vectors", vectors)

        def forward(self, _):
            return self.vectors

    with torch.no_grad():
        c = module.t_embedder(inputs[1]) + inputs[4]
        for layer in [*module.blocks, module.final_layer]:
            layer.adaLN_modulation = Given(layer.adaLN_modulation(c))
        module.t_embedder = Given(c)
    return module, inputs


def answer(what, item, peer, seconds):
    if not torch.cuda.is_available():
        return {"errors": "PyTorch here sees no GPU"}
    if what == "ceiling":
        return {"value": matrix_ceiling()}
    if what == "work":
        return {"value": gigaflops(item)}
    if what == "given":
        build = peers.build
        peers.build = lambda name: with_vectors_given(*build(name))
    result = peers.bench(item, peer, seconds=seconds)
    return {"value": result["median_ms"]} if result else {}


if __name__ == "__main__":
    print(json.dumps(answer(*sys.argv[1:4], float(sys.argv[4]))))
