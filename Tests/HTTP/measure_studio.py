"""How many frames a second the studio shows of the default model's motion `wave`, and what else has the processors' time.

    POSED_BIN=.build/release .venv-http/bin/python Tests/HTTP/measure_studio.py [TYPE [SECONDS]]

TYPE is the setting model.dtype.
"""

import json
import os
import sys
import time

from selenium.webdriver.common.by import By
from service import TOKEN, Service
from test_studio import FRAMES, browser
from websockets.sync.client import connect

from daemon import ROOT

MODEL = ROOT / "weights/default"


def parts(process):
    """A process and all that it started."""
    found, parents = {process}, {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parents[int(name)] = int(open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def seconds(processes):
    """Seconds of processors that processes have had."""
    total = 0
    for process in processes:
        try:
            user, system = open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()[11:13]
            total += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        except OSError:
            pass
    return total


def shown(service, duration):
    """Frames a second in a browser, and the processors that the daemon and the browser had meanwhile."""
    page = browser()
    try:
        page.get(service.ticket())
        time.sleep(5)
        page.find_element(By.CSS_SELECTOR, "#motions button:last-child").click()
        # Each pose once, so that all are known.
        while (page.execute_script(FRAMES) or 0) < 30:
            time.sleep(0.2)
        watched = [{service.process.pid}, parts(page.service.process.pid)]
        frames, before, start = page.execute_script(FRAMES), [seconds(each) for each in watched], time.monotonic()
        time.sleep(duration)
        frames, took = page.execute_script(FRAMES) - frames, time.monotonic() - start
        used = [(seconds(each) - had) / took for each, had in zip(watched, before)]
        return frames / took, *used
    finally:
        page.quit()


def streamed(service, duration):
    """Frames a second of the same poses over a WebSocket, and the processors that the daemon had meanwhile."""
    person = MODEL / "samples/ada"
    poses = [json.loads(line) for line in (person / "wave.jsonl").read_text().splitlines()]
    headers = {"Content-Type": "image/png"}
    name = json.loads(service.ask("POST", "/v1/sessions", (person / "source.png").read_bytes(), headers)[2])["name"]
    with connect(f"ws://127.0.0.1:{service.api}/v1/{name}/stream?seed=7&max_lag_ms=60000",
                 additional_headers={"Authorization": f"Bearer {TOKEN}"}, max_size=1 << 24) as stream:
        sent = frames = 0

        def send():
            nonlocal sent
            sent += 1
            stream.send(json.dumps({"sequence": sent, "pose": poses[sent % len(poses)]}))

        send()
        send()
        while True:
            if isinstance(stream.recv(60), bytes):
                frames += 1
                send()
            if frames == 30:
                frames, start, before = 31, time.monotonic(), seconds({service.process.pid})
            elif frames > 30 and time.monotonic() - start > duration:
                took = time.monotonic() - start
                return (frames - 31) / took, (seconds({service.process.pid}) - before) / took


def main(kind, duration):
    service = Service({"model.folder": MODEL, "model.dtype": kind})
    try:
        rate, daemon = streamed(service, duration)
        print(f"{kind}, without a browser: {rate:.1f} frames a second; {daemon:.2f} processors for the daemon")
        rate, daemon, others = shown(service, duration)
        print(f"{kind}, in the studio: {rate:.1f} frames a second; {daemon:.2f} processors for the daemon, "
              f"{others:.2f} for the browser")
    finally:
        service.stop()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "auto", float(sys.argv[2]) if len(sys.argv) > 2 else 15)
