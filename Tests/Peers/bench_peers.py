"""Times the peers and writes JSON in the format of `posekit bench --json`.

    python3 Tests/Peers/bench_peers.py --json peers.json
    python3 Tests/Peers/bench_peers.py --only velocity.S,vae --backends openvino-bf16
"""

import argparse
import json
import sys

import peers


def table(results):
    """Markdown: items down, backends across, medians in milliseconds."""
    backends = [b for b in peers.BACKENDS if any(r["backend"] == b for r in results)]
    found = {(r["what"], r["backend"]): r["median_ms"] for r in results}
    lines = ["| | " + " | ".join(backends) + " |", "| --- |" + " --- |" * len(backends)]
    for item in dict.fromkeys(r["what"] for r in results):
        cells = [found.get((item, b)) for b in backends]
        shown = ["–" if c is None else f"{c:.1f}" for c in cells]
        lines.append(f"| {item} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", default="peers.json", help="where the results go")
    parser.add_argument("--only", default="", help="prefixes of items, separated by commas")
    parser.add_argument("--backends", default=",".join(peers.BACKENDS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for one item and backend")
    options = parser.parse_args()
    results = []
    for item in peers.select(options.only):
        for backend in options.backends.split(","):
            result = peers.bench(item, backend, options.threads, options.seconds)
            if result:
                results.append(result)
                print(f"{item:16} {backend:20} {result['median_ms']:9.2f} ms", file=sys.stderr)
        with open(options.json, "w") as file:
            json.dump({"results": results}, file, indent=1)
    print(table(results))


if __name__ == "__main__":
    main()
