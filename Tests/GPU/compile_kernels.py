"""Compiles every kernel of the CUDA backend with NVRTC, without a GPU, and holds it to bounds.

    compile_kernels.py [--nvrtc LIBRARY]... [--json FILE] [--write]

`kernels.json` names the modules, a file and its definitions each, and the most registers that any kernel of one
may use. No kernel may spill a register or keep a variable on a stack, nor have its products by groups of warps put one
after the other; the assembler must have reported every kernel of the file. Modules are compiled for sm_80, sm_90a and
sm_120, those for groups of warps for sm_90a alone.

NVRTC comes from the package nvidia-cuda-nvrtc (CUDA 12 or 13) of this Python unless it is named; several may be.
`--write` renews the bounds: what was found, and room for what one release of the assembler does otherwise than the
next.
"""

import argparse
import ctypes
import glob
import json
import multiprocessing
import os
import re
import site
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
KERNELS = os.path.join(HERE, "../../CShims/PosedCUDA/kernels")
TABLE = os.path.join(HERE, "kernels.json")
TARGETS = ("sm_80", "sm_90a", "sm_120")
GROUP_TARGETS = ("sm_90a",)
STEP = 8  # bounds are multiples of this, as registers are given out
ROOM = 8  # what `--write` adds


def find_nvrtc():
    """The newest NVRTC among this Python's packages, or None."""
    found = []
    for folder in site.getsitepackages() + [site.getusersitepackages()]:
        found += glob.glob(os.path.join(folder, "nvidia/*/lib/libnvrtc.so.1[23]"))
    return max(found, key=lambda path: path.rsplit(".", 1)[1], default=None)


def kernels_of(file):
    """Names of the kernels that a file defines."""
    return set(re.findall(r"^POSED_KERNEL\((\w+),", read(file).decode(), re.MULTILINE))


def read(name):
    with open(os.path.join(KERNELS, name), encoding="utf-8") as file:
        return file.read().encode()


def compiled(job):
    """(module, target, problem or None, {kernel: (registers, bytes spilled or on the stack)})."""
    library_path, module, target = job
    library = ctypes.CDLL(library_path)
    for builtins in glob.glob(os.path.join(os.path.dirname(library_path), "libnvrtc-builtins.so.1*")):
        ctypes.CDLL(builtins)  # opened by its name, and not every release looks beside itself
    file, *defines = re.split(r" (?=POSED_)", module)
    headers = sorted(name for name in os.listdir(KERNELS) if name.endswith((".cuh", ".h")))
    texts = (ctypes.c_char_p * len(headers))(*map(read, headers))
    names = (ctypes.c_char_p * len(headers))(*(name.encode() for name in headers))
    program = ctypes.c_void_p()
    library.nvrtcCreateProgram(
        ctypes.byref(program), read(file), file.encode(), len(headers), texts, names)
    options = [f"--gpu-architecture={target}", "--std=c++17", "-default-device", "--ptxas-options=-v"]
    options += ["-D" + define for define in defines]
    words = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    status = library.nvrtcCompileProgram(program, len(options), words)
    size = ctypes.c_size_t()
    library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    library.nvrtcGetProgramLog(program, buffer)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    log = buffer.value.decode()
    if status != 0:
        return module, target, log.strip().split("\n")[0] or f"NVRTC gave status {status}", {}
    # The assembler waits after each wgmma where it cannot follow the registers (C7510), and only says so.
    serialized = next((line.strip() for line in log.split("\n") if "C7510" in line or "serialized" in line), None)
    return module, target, serialized, usage(log)


def usage(log):
    """What the assembler says of each kernel."""
    found = {}
    for part in re.split(r"Function properties for ", log)[1:]:
        name = part.split("\n", 1)[0].strip()
        stack = [int(n) for n in re.findall(r"(\d+) bytes (?:stack frame|spill stores|spill loads)", part)]
        registers = re.search(r"Used (\d+) registers", part)
        if registers and stack:
            found[name] = (int(registers[1]), max(stack))
    return found


def jobs_of(library, table):
    for module in table:
        targets = GROUP_TARGETS if "POSED_GROUPS" in module else TARGETS
        for target in targets:
            yield library, module, target


def results(libraries, table):
    """What `compiled` gives for every job; processes of its own for each library."""
    for library in libraries:
        with multiprocessing.Pool() as pool:
            yield from pool.imap_unordered(compiled, list(jobs_of(library, table)))


def verdict(table, module, target, problem, kernels):
    """A sentence for each breach."""
    if problem:
        yield f"{module} for {target}: {problem}"
        return
    for name in kernels_of(module.split(" ", 1)[0]) - set(kernels):
        yield f"{name} of {module} for {target}: the assembler did not report it"
    for name, (registers, stack) in kernels.items():
        if stack > 0:
            yield f"{name} of {module} for {target}: {stack} bytes spilled or on the stack, none allowed"
        if registers > table[module]:
            yield f"{name} of {module} for {target}: {registers} registers, at most {table[module]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--nvrtc", action="append", help="NVRTC's library")
    parser.add_argument("--json", help="where to write what was found")
    parser.add_argument("--write", action="store_true", help="renew the bounds")
    arguments = parser.parse_args()
    libraries = arguments.nvrtc or [find_nvrtc()]
    if None in libraries:
        sys.exit("kernels: no NVRTC among this Python's packages; nvidia-cuda-nvrtc would bring it")
    with open(TABLE, encoding="utf-8") as file:
        table = json.load(file)
    report, breaches, most, count = [], [], {}, 0
    for module, target, problem, kernels in results(libraries, table):
        count += 1
        if arguments.write:
            table[module] = 256  # as many as a thread can have
        breaches += verdict(table, module, target, problem, kernels)
        report += [
            {"module": module, "target": target, "kernel": name, "registers": registers, "stack": stack}
            for name, (registers, stack) in kernels.items()]
        highest = max((registers for registers, _ in kernels.values()), default=0)
        most[module] = max(most.get(module, 0), highest)
    if arguments.write:
        table = {module: min(256, -(-(most[module] + ROOM) // STEP) * STEP) for module in sorted(table)}
        with open(TABLE, "w", encoding="utf-8") as file:
            file.write(json.dumps(table, indent=1) + "\n")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(sorted(report, key=lambda row: (row["module"], row["target"], row["kernel"])), file, indent=1)
    for breach in sorted(breaches):
        print("kernels: " + breach)
    if breaches:
        sys.exit(1)
    print(f"kernels: {len(report)} kernels of {len(table)} modules compiled, {count} times in all; "
          f"none spills, and registers are within their bounds")


if __name__ == "__main__":
    main()
