#!/usr/bin/env python3
"""Make the bundled example checkpoints under examples/checkpoints.

A small residual network is trained on Fashion-MNIST (`base`), then fine-tuned
ten times (`ft-0` ... `ft-9`) to a shifted version of the same task: the images
are turned, blurred, washed out and noisy.  The fine-tunes share their images
and differ in learning rate, epochs, augmentation, weight decay, label smoothing
and seed.  That is the setting in which averaging fine-tuned weights ("model
soups") is meant to help.

Debian packages needed:
    python3-torch python3-numpy libopenblas0-pthread dataset-fashion-mnist

Usage:
    python3 examples/make_checkpoints.py            # make everything (minutes)
    python3 examples/make_checkpoints.py --check    # only score what is there

Every random choice is seeded, the number of threads is fixed and PyTorch is
held to deterministic algorithms: on the same kind of processor, with the same
library versions, a second run should write the same bytes.
"""

import argparse
import gzip
import json
import struct
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

DATA = Path("/usr/share/datasets/fashion-mnist")
OUT = Path(__file__).resolve().parent / "checkpoints"

CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
WIDTHS = [16, 24, 24, 32]       # output channels of each residual block
STEM_WIDTH = 16

# The 60,000 training images are for `base` alone.  The 10,000 others are cut,
# in a seeded random order, into validation, test and fine-tuning images, so no
# image of val or test was ever trained on, clean or shifted.
VAL, TEST, FINE_TUNE = 1500, 2000, 4000


# ---------------------------------------------------------------- the network

class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut.  A block that changes the width
    also halves the resolution, so the tensors alone say what it does."""

    def __init__(self, width_in, width_out):
        super().__init__()
        changes = width_in != width_out
        self.conv1 = nn.Conv2d(width_in, width_out, 3, 2 if changes else 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width_out)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width_out)
        self.downsample = None
        if changes:
            self.downsample = nn.Sequential(OrderedDict(
                conv=nn.Conv2d(width_in, width_out, 1, 2, bias=False),
                bn=nn.BatchNorm2d(width_out)))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


class Net(nn.Module):
    """Takes images scaled to 0..1, gives ten logits."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(OrderedDict(
            conv=nn.Conv2d(1, STEM_WIDTH, 5, 2, 2, bias=False),
            bn=nn.BatchNorm2d(STEM_WIDTH)))
        widths = [STEM_WIDTH] + WIDTHS
        self.layers = nn.ModuleList(
            Block(a, b) for a, b in zip(widths, widths[1:]))
        self.head = nn.Linear(widths[-1], len(CLASSES))

    def forward(self, x):
        x = F.relu(self.stem(x))
        for layer in self.layers:
            x = layer(x)
        return self.head(x.mean((2, 3)))


# ------------------------------------------------------------------- the data

def read_idx(name):
    raw = gzip.decompress((DATA / f"{name}.gz").read_bytes())
    dims = raw[3]
    shape = struct.unpack(f">{dims}I", raw[4:4 + 4 * dims])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dims).reshape(shape)


def load(part):
    images = torch.from_numpy(read_idx(f"{part}-images-idx3-ubyte").copy())
    labels = torch.from_numpy(read_idx(f"{part}-labels-idx1-ubyte").copy())
    return images.unsqueeze(1), labels.long()


def affine(x, angle, scale=None, shift=None):
    """Turn (radians), zoom and move each image of the batch x by its own amount."""
    n = len(x)
    scale = torch.ones(n) if scale is None else scale
    shift = torch.zeros(n, 2) if shift is None else shift
    cos, sin = angle.cos() * scale, angle.sin() * scale
    theta = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1),
                         torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    grid = F.affine_grid(theta, x.shape, align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def blur(x, sigma):
    at = torch.arange(-3, 4).float()
    kernel = torch.exp(-at**2 / (2 * sigma**2))
    kernel /= kernel.sum()
    x = F.conv2d(x, kernel.view(1, 1, 1, 7), padding=(0, 3))
    return F.conv2d(x, kernel.view(1, 1, 7, 1), padding=(3, 0))


def shifted(images, seed):
    """The shifted task: turned by up to 20 degrees, blurred, at less contrast,
    with noise.  Bytes again, so that a checkpoint's users need none of this."""
    rng = torch.Generator().manual_seed(seed)
    x = images.float() / 255
    angle = (torch.rand(len(x), generator=rng) * 2 - 1) * np.deg2rad(20)
    x = blur(affine(x, angle), sigma=0.6)
    contrast = 0.6 + 0.4 * torch.rand(len(x), 1, 1, 1, generator=rng)
    x = 0.5 + (x - 0.5) * contrast
    x = x + 0.05 * torch.randn(x.shape, generator=rng)
    return (x.clamp(0, 1) * 255).round().to(torch.uint8)


def shifted_parts():
    """(images, labels) of val, test and the fine-tuning set."""
    images, labels = load("t10k")
    images = shifted(images, seed=7)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(8))
    cuts = order[:VAL + TEST + FINE_TUNE].split([VAL, TEST, FINE_TUNE])
    return [(images[cut], labels[cut]) for cut in cuts]


def augment(x, strength, rng):
    """Mirror, and jitter place, size and angle; strength 0 leaves x alone."""
    if strength == 0:
        return x
    n = len(x)

    def jitter(*shape):
        return (torch.rand(*shape, generator=rng) * 2 - 1) * strength

    mirror = (torch.rand(n, generator=rng) < 0.5).view(-1, 1, 1, 1)
    x = torch.where(mirror, x.flip(3), x)
    return affine(x, jitter(n) * 0.2, 1 + jitter(n) * 0.1, jitter(n, 2) * 0.15)


# --------------------------------------------------------------- the training

@dataclass
class Recipe:
    lr: float
    epochs: int
    augment: float = 0.0
    weight_decay: float = 0.0
    smoothing: float = 0.0      # of the labels
    seed: int = 0
    batch: int = 32
    anneal: bool = False        # cosine to zero, or a constant learning rate


BASE = Recipe(lr=0.2, epochs=16, augment=0.25, weight_decay=5e-4, seed=100,
              batch=128, anneal=True)

# A constant learning rate leaves each fine-tune on its own side of the common
# valley instead of at the bottom: that is where averaging has most to give.
FINE_TUNES = [
    Recipe(lr=0.014, epochs=4, augment=0.0, weight_decay=1e-4, smoothing=0.00, seed=0),
    Recipe(lr=0.021, epochs=4, augment=0.5, weight_decay=1e-4, smoothing=0.00, seed=1),
    Recipe(lr=0.014, epochs=4, augment=0.3, weight_decay=0.00, smoothing=0.05, seed=2),
    Recipe(lr=0.035, epochs=4, augment=0.0, weight_decay=5e-4, smoothing=0.00, seed=3),
    Recipe(lr=0.021, epochs=4, augment=0.0, weight_decay=1e-4, smoothing=0.10, seed=4),
    Recipe(lr=0.035, epochs=4, augment=0.5, weight_decay=1e-4, smoothing=0.05, seed=5),
    Recipe(lr=0.007, epochs=4, augment=0.0, weight_decay=0.00, smoothing=0.00, seed=6),
    Recipe(lr=0.028, epochs=4, augment=0.3, weight_decay=5e-4, smoothing=0.00, seed=7),
    Recipe(lr=0.021, epochs=4, augment=0.3, weight_decay=1e-4, smoothing=0.10, seed=8),
    Recipe(lr=0.035, epochs=3, augment=0.3, weight_decay=1e-4, smoothing=0.10, seed=9),
]


def train(net, images, labels, recipe):
    """SGD with momentum, after a short warm-up."""
    rng = torch.Generator().manual_seed(recipe.seed)
    steps = recipe.epochs * (len(images) // recipe.batch)
    opt = torch.optim.SGD(net.parameters(), lr=recipe.lr, momentum=0.9,
                          nesterov=True, weight_decay=recipe.weight_decay)

    def factor(step):
        warm = min(1, (step + 1) / (0.1 * steps))
        return warm * (0.5 + 0.5 * np.cos(np.pi * step / steps)) if recipe.anneal else warm

    schedule = torch.optim.lr_scheduler.LambdaLR(opt, factor)
    net.train()
    for _ in range(recipe.epochs):
        order = torch.randperm(len(images), generator=rng)
        for at in range(0, len(order) - recipe.batch + 1, recipe.batch):
            pick = order[at:at + recipe.batch]
            x = augment(images[pick].float() / 255, recipe.augment, rng)
            loss = F.cross_entropy(net(x), labels[pick], label_smoothing=recipe.smoothing)
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
    return net


@torch.no_grad()
def score(net, images, labels):
    """Accuracy and mean cross-entropy in eval mode."""
    net.eval()
    logits = torch.cat([net(part.float() / 255) for part in images.split(500)])
    accuracy = (logits.argmax(1) == labels).double().mean().item()
    return accuracy, F.cross_entropy(logits.double(), labels).item()


# ------------------------------------------------------------------ the files

DTYPES = {"I64": torch.int64, "F32": torch.float32, "U8": torch.uint8}  # widest first


def save_tensors(path, tensors):
    """Write a safetensors file: header length, JSON header, tensor bytes.
    Wider element types come first, which keeps every tensor aligned."""
    codes = {dtype: code for code, dtype in DTYPES.items()}
    rank = list(DTYPES)
    header, body = {"__metadata__": {"format": "pt"}}, bytearray()
    for name in sorted(tensors, key=lambda n: (rank.index(codes[tensors[n].dtype]), n)):
        data = tensors[name].contiguous().numpy().tobytes()
        header[name] = {"dtype": codes[tensors[name].dtype],
                        "shape": list(tensors[name].shape),
                        "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def load_tensors(path):
    raw = path.read_bytes()
    size, = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = torch.frombuffer(bytearray(raw[8 + size + begin:8 + size + end]),
                                dtype=DTYPES[entry["dtype"]])
        tensors[name] = data.view(entry["shape"])
    return tensors


CONFIG = {
    "architectures": ["FashionResNet"],
    "model_type": "fashion_resnet",
    "torch_dtype": "float32",
    "image_size": 28,
    "num_channels": 1,
    "rescale_factor": 1 / 255,
    "stem_width": STEM_WIDTH,
    "hidden_sizes": WIDTHS,
    "num_hidden_layers": len(WIDTHS),
    "hidden_act": "relu",
    "batch_norm_eps": 1e-5,
    "num_labels": len(CLASSES),
    "id2label": {str(i): name for i, name in enumerate(CLASSES)},
}


def save_checkpoint(folder, net):
    save_tensors(folder / "model.safetensors", net.state_dict())
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2) + "\n")


# ------------------------------------------------------------------ the table

def mean(checkpoints):
    """The soup: means taken in double precision; counters keep their largest."""
    soup = {}
    for name in checkpoints[0]:
        stack = torch.stack([tensors[name] for tensors in checkpoints])
        soup[name] = (stack.double().mean(0).float() if stack.is_floating_point()
                      else stack.max(0).values)
    return soup


def check():
    """Score every checkpoint, the uniform soup and the greedy soup."""
    parts = []
    for name in ("val", "test"):
        tensors = load_tensors(OUT / f"{name}.safetensors")
        parts.append((tensors["images"], tensors["labels"].long()))

    def row(name, tensors):
        net = Net()
        net.load_state_dict(tensors)
        (val, val_loss), (test, test_loss) = (score(net, *part) for part in parts)
        print(f"{name:24} {100 * val:6.2f} {val_loss:7.4f} {100 * test:6.2f} {test_loss:7.4f}",
              flush=True)
        return val

    print(f"{'':24} {'val %':>6} {'loss':>7} {'test %':>6} {'loss':>7}")
    row("base", load_tensors(OUT / "base/model.safetensors"))
    tunes = [load_tensors(OUT / f"ft-{i}/model.safetensors") for i in range(len(FINE_TUNES))]
    accuracy = [row(f"ft-{i}", tensors) for i, tensors in enumerate(tunes)]
    row("uniform soup", mean(tunes))

    # Greedy soup: best first, keep whatever does not make the mean worse.
    order = sorted(range(len(tunes)), key=lambda i: -accuracy[i])
    kept, best = [], 0.0
    for i in order:
        val = row(f"  with ft-{i}", mean([tunes[j] for j in kept + [i]]))
        if val >= best:
            kept, best = kept + [i], val
    row("greedy soup", mean([tunes[j] for j in kept]))
    print("greedy soup of", ", ".join(f"ft-{i}" for i in kept))


def make():
    start = time.time()
    val, test, fine_tune = shifted_parts()
    for name, (images, labels) in (("val", val), ("test", test)):
        save_tensors(OUT / f"{name}.safetensors",
                     {"images": images, "labels": labels.to(torch.uint8)})

    torch.manual_seed(BASE.seed)    # the initial weights
    base = train(Net(), *load("train"), BASE)
    save_checkpoint(OUT / "base", base)
    accuracy, _ = score(base, *load("t10k"))
    print(f"base: {100 * accuracy:.2f} % on the 10,000 clean test images, "
          f"{time.time() - start:.0f} s", flush=True)

    for i, recipe in enumerate(FINE_TUNES):
        net = Net()
        net.load_state_dict(base.state_dict())
        save_checkpoint(OUT / f"ft-{i}", train(net, *fine_tune, recipe))
    print(f"{len(FINE_TUNES)} fine-tunes, {time.time() - start:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Make the example checkpoints.")
    parser.add_argument("--check", action="store_true", help="only score what is there")
    args = parser.parse_args()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    if not args.check:
        make()
    check()


if __name__ == "__main__":
    main()
