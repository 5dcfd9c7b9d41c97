"""Pictures held in memory, of the device where they fit: what the autoencoder is trained on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from posed_recipe.data.pictures import PictureSet
from posed_recipe.data.synthetic import finished_shards, read_synthetic
from posed_recipe.errors import RecipeError
from posed_recipe.pose import POINTS

CHUNK = 256


class PictureBank:
    """uint8 pictures [capacity, 3, H, W] and keypoints [capacity, 130, 3], of which the first `len` are there."""

    def __init__(self, size, device, capacity, threads=4):
        height, width = size
        self.pictures = torch.zeros(capacity, 3, height, width, dtype=torch.uint8, device=device)
        self.keypoints = torch.zeros(capacity, POINTS, 3, device=device)
        self.count, self.threads = 0, threads

    @classmethod
    def of(cls, pictures, device, limit=None, threads=4):
        """A bank of a whole `PictureSet`, or of `limit` of its pictures, evenly spread."""
        count = len(pictures) if limit is None else min(limit, len(pictures))
        bank = cls(pictures.size, device, count, threads)
        bank.add(pictures, spread(len(pictures), count))
        return bank

    def add(self, pictures: PictureSet, numbers):
        """Decodes these pictures of a set, as many as there is room for."""
        with ThreadPoolExecutor(self.threads) as pool:
            for start in range(0, len(numbers), CHUNK):
                room = len(self.pictures) - self.count
                chunk = numbers[start:start + min(CHUNK, room)]
                if len(chunk) == 0:
                    return
                loaded = np.stack(list(pool.map(pictures.load, chunk)))
                span = slice(self.count, self.count + len(chunk))
                self.pictures[span] = torch.from_numpy(loaded).permute(0, 3, 1, 2)
                points = torch.from_numpy(pictures.keypoints[chunk])
                self.keypoints[span, :points.shape[1]] = points.to(self.keypoints.device)
                self.count += len(chunk)

    def __len__(self):
        return self.count


class GrowingBank:
    """Fills a bank from shards that are still being made, in a thread of its own."""

    def __init__(self, folder, bank, seconds=5.0):
        self.folder, self.bank, self.seconds = Path(folder), bank, seconds
        self.read = set()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.follow, daemon=True)

    def start(self, least, deadline, alive):
        """Waits for the first `least` pictures, then goes on by itself; False if the call ended before.

        `alive` says whether more pictures are still to come.
        """
        self.refresh()
        while len(self.bank) < least:
            if deadline.passed:
                return False
            if not alive() and len(self.bank) < least:
                self.refresh()
                if len(self.bank) == 0:
                    raise RecipeError(f"{self.folder}: no pictures were made")
                break
            self.over.wait(1.0)
            self.refresh()
        self.thread.start()
        return True

    def refresh(self):
        """Takes in what has been made since."""
        new = [index for index in finished_shards(self.folder) if index.name not in self.read]
        if new:
            pictures = read_synthetic(self.folder, tuple(self.bank.pictures.shape[-2:]), new)
            self.bank.add(pictures, np.arange(len(pictures)))
            self.read.update(index.name for index in new)

    def follow(self):
        """The thread: looks for new shards until there is no room or it is stopped."""
        while not self.over.wait(self.seconds) and len(self.bank) < len(self.bank.pictures):
            self.refresh()

    def stop(self):
        """Ends the thread."""
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()


def spread(count, limit):
    """`limit` numbers out of `count`, evenly spread, so that a part of a set has all of its kinds."""
    return np.linspace(0, count - 1, limit).round().astype(np.int64)
