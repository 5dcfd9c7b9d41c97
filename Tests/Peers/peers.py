"""The peers: the same models on PyTorch and OpenVINO, as callables to be timed.

An item is what is measured (`velocity.S.b2`, `dinov2-b.224`, `vae.encode.256`, ...), named as in
`posekit bench`; a backend is who computes it (`torch-bf16-compile`, `openvino-bf16`, ...).
Weights are random: time does not depend on them.
"""

import gc
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "Goldens"))
import rpfm  # noqa: E402

BACKENDS = {
    "torch-f32": "f32",
    "torch-bf16": "bf16",
    "torch-bf16-compile": "bf16",
    "openvino-f32": "f32",
    "openvino-bf16": "bf16",
    "torch-i8": "i8",
    "openvino-i8": "i8",
}

# On an NVIDIA GPU: as it is, compiled with everything that the compiler tries, and replayed as a CUDA graph.
GPU_BACKENDS = {
    "torch-cuda-bf16": "bf16",
    "torch-cuda-bf16-compile": "bf16",
    "torch-cuda-bf16-graph": "bf16",
}
TYPES = {**BACKENDS, **GPU_BACKENDS}

SIZES = ["T", "S", "B"]
BATCHES = [1, 2, 8]
VELOCITIES = [f"velocity.{s}.b{b}" for s in SIZES for b in BATCHES]
REFERENCES = [f"velocity.{s}.ref.b{b}" for s in ["S", "B"] for b in [1, 2]]
PARTS = ["dinov2-b.224", "vae.encode.256", "vae.decode.256"]
ITEMS = VELOCITIES + REFERENCES + PARTS


def select(only):
    """The items that start with one of the prefixes, which commas separate."""
    return [i for i in ITEMS if any(i.startswith(p) for p in only.split(","))]


class WithReference(nn.Module):
    """Velocity with the cached keys and values as one tensor [depth, 2, B, heads, N, width]."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, z, t, z_s, z_p, cond, cache):
        return self.model(z, t, z_s, z_p, cond, [(kv[0], kv[1]) for kv in cache.unbind(0)])


class LastHiddenState(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values).last_hidden_state


class Encode(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, image):
        mean = self.vae.quant_conv(self.vae.encoder(image))[:, :4]
        return mean * self.vae.config.scaling_factor


class Decode(nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latent):
        return self.vae.decoder(self.vae.post_quant_conv(latent / self.vae.config.scaling_factor))


def sd_vae():
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=[128, 256, 512, 512],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=2, norm_num_groups=32, latent_channels=4, sample_size=256,
        scaling_factor=0.18215)


def build(item):
    """The module in float32 and its inputs."""
    torch.manual_seed(0)
    if item.startswith("velocity"):
        fields = item.split(".")
        b = int(fields[-1][1:])
        reference = "ref" in fields
        preset = rpfm.PRESETS[fields[1]]
        model = rpfm.RPFMTransformer2DModel(**preset, reference_attention=reference)
        z, z_s, z_p = torch.randn(3, b, 4, 32, 32).unbind(0)
        inputs = [z, torch.full((b,), 0.3), z_s, z_p, torch.randn(b, preset["hidden_size"])]
        if reference:
            width = preset["hidden_size"] // preset["num_heads"]
            inputs.append(torch.randn(preset["depth"], 2, b, preset["num_heads"], 256, width))
            model = WithReference(model)
        return model.eval(), inputs
    if item == "dinov2-b.224":
        from transformers import Dinov2Config, Dinov2Model

        return LastHiddenState(Dinov2Model(Dinov2Config())).eval(), [torch.randn(1, 3, 224, 224)]
    if item == "vae.encode.256":
        return Encode(sd_vae()).eval(), [torch.randn(1, 3, 256, 256)]
    if item == "vae.decode.256":
        return Decode(sd_vae()).eval(), [torch.randn(1, 4, 32, 32)]
    raise ValueError(f"unknown item {item}; known: {', '.join(ITEMS)}")


def runner(item, backend, threads=2):
    """A callable without arguments that computes the item once on the backend."""
    module, inputs = build(item)
    if backend in GPU_BACKENDS:
        return gpu_runner(item, module, inputs, backend)
    if backend.startswith("openvino"):
        return openvino_runner(module, inputs, BACKENDS[backend], threads)
    torch.set_num_threads(threads)
    if BACKENDS[backend] == "i8":
        module = torch.ao.quantization.quantize_dynamic(module, tokenwise(module), dtype=torch.qint8)
    if BACKENDS[backend] == "bf16":
        module = module.bfloat16()
        # The time stays float32: it is scaled by 1000 before its sines.
        inputs = [x if x.dim() == 1 else x.bfloat16() for x in inputs]
    if item.startswith("vae"):
        module = module.to(memory_format=torch.channels_last)
        inputs = [x.to(memory_format=torch.channels_last) for x in inputs]
    if backend.endswith("compile"):
        import torch._inductor.config as inductor

        inductor.freezing = True
        torch._dynamo.reset()
        module = torch.compile(module)

    def run():
        with torch.no_grad():
            return module(*inputs)

    return run


def tokenwise(module):
    """Names of the linear layers that every token passes."""
    return {name for name, part in module.named_modules()
            if isinstance(part, nn.Linear) and ("blocks." in name or "layer." in name)
            and "adaLN" not in name}


def gpu_runner(item, module, inputs, backend):
    """On the first GPU; a run is over when the device is."""
    device = torch.device("cuda")
    module = module.to(device, torch.bfloat16)
    inputs = [x.to(device) if x.dim() == 1 else x.to(device, torch.bfloat16) for x in inputs]
    if item.startswith("vae"):
        module = module.to(memory_format=torch.channels_last)
        inputs = [x.contiguous(memory_format=torch.channels_last) for x in inputs]
    if backend.endswith("compile"):
        torch._dynamo.reset()
        module = torch.compile(module, mode="max-autotune")  # replays CUDA graphs, too

    def compute():
        with torch.inference_mode():
            return module(*inputs)

    once = compute
    if backend.endswith("graph"):
        once = captured(compute)

    def run():
        once()
        torch.cuda.synchronize()

    return run


def captured(compute):
    """A callable that replays `compute` as a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            compute()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        compute()
    return graph.replay


def calibrated(model, inputs):
    """Weights and activations in 8 bits, all ranges fixed beforehand: by the very inputs that are timed."""
    import nncf

    examples = nncf.Dataset([[x.numpy() for x in inputs]], lambda given: dict(enumerate(given)))
    transformer = len(inputs) > 1 or inputs[0].shape[-1] == 224
    return nncf.quantize(model, examples, subset_size=1,
                         model_type=nncf.ModelType.TRANSFORMER if transformer else None)


def openvino_runner(module, inputs, dtype, threads):
    import openvino as ov

    with torch.no_grad():
        model = ov.convert_model(module, example_input=tuple(inputs))
    model.reshape({i: list(x.shape) for i, x in enumerate(inputs)})
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if dtype == "i8" else dtype,
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    if dtype == "i8":
        model = calibrated(model, inputs)
    compiled = ov.Core().compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    for port, x in zip(compiled.inputs, inputs):
        request.set_tensor(port, ov.Tensor(x.numpy()))  # copies, once
    return request.infer


def measure(run, seconds=3.0, least=5, most=50):
    """Median milliseconds and the number of runs; two more runs warm up."""
    run()
    run()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < least or (time.perf_counter() < end and len(times) < most):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
        if time.perf_counter() > end + 2 * seconds and len(times) >= 3:
            break
    return statistics.median(times), len(times)


def bench(item, backend, threads=2, seconds=3.0):
    """One result in the format of `posekit bench --json`, or None with the reason printed."""
    try:
        run = runner(item, backend, threads)
        median, runs = measure(run, seconds)
    except Exception as error:  # a peer that cannot run an item is left out, not fatal
        print(f"{item} on {backend}: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    finally:
        run = None
        gc.collect()
        if backend in GPU_BACKENDS:
            torch.cuda.empty_cache()
    return {"what": item, "backend": backend, "dtype": TYPES[backend],
            "median_ms": round(median, 3), "runs": runs}
