"""What a signature costs and what it catches: a release of a finished workspace signed, verified, and changed by a bit.

It works on copies of the release in service and of its model. Files come from the system's cache, as after publishing.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from benchmarks.results import Figure, record
from lookalike.errors import LookalikeError, UntrustedRelease
from lookalike.index.memory import MemoryIndex
from lookalike.index.protocol import CollectionInfo, GalleryBatch
from lookalike.progress import progress
from lookalike.release.manifest import Release, require_live
from lookalike.release.signed import RELEASE, SIGNED, sign_release, verify_model, verify_release
from lookalike.signing.envelope import read_signed
from lookalike.signing.keys import load_signing_key, load_trusted_keys, new_signing_key
from lookalike.signing.pickles import plain_files, scan_file
from lookalike.workspace import Workspace

COMMAND = "make bench-signing WORKSPACE=…"
SEED = 7
REPEATS, FLIPS = 20, 1_000


class SignedCopy:
    """The live release of a workspace, copied aside and signed with a new key."""

    def __init__(self, source: Workspace, scratch: Path, day: date) -> None:
        self.release, self._index, self._day = require_live(source.releases), MemoryIndex(), day
        self._releases, self._models = scratch / "releases", scratch / "models"
        self.folder, self.model = self._releases / self.release.release_id, self._models / self.release.model
        shutil.copytree(source.releases / self.release.release_id, self.folder)
        shutil.copytree(source.model_repository / self.release.model, self.model)
        _stand_in(self._index, self.release)
        new_signing_key(scratch / "key.pem", scratch / "trusted.yaml", "benchmark")
        self._trusted = load_trusted_keys(f"file:{scratch / 'trusted.yaml'}")
        self._signer = load_signing_key(f"file:{scratch / 'key.pem'}")

    def sign(self) -> None:
        sign_release(self._releases, self._models, self.release, self._index, self._signer)

    def verify(self) -> None:
        """As the search service before it loads."""
        verify_release(self._releases, self._models, self.release, self._index, self._trusted, self._day)

    def verify_model(self) -> None:
        """As a mirror does before Triton reads it."""
        verify_model(self.model, self._trusted, self._day)

    def covered(self) -> list[Path]:
        """Every file whose change must be noticed: those that the statement names, and the signature."""
        named = read_signed(self.folder / SIGNED, RELEASE, self._trusted, self._day).statement.files
        roots = {"release": self.folder, "model": self.model}
        parts = (name.split("/", 1) for name in named)
        return [self.folder / SIGNED, *(roots[root] / name for root, name in parts)]


def measure(workspace: Workspace, scratch: Path, repeats: int, flips: int) -> dict[str, Figure]:
    """Time signing and verifying, flip bits, look for pickles."""
    copy = SignedCopy(workspace, scratch, datetime.now(UTC).date())
    signing = _milliseconds(copy.sign, 1)
    files = copy.covered()
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    size = f"a release of {len(files)} signed files, {megabytes:.1f} MB with its model"
    whole, model = _milliseconds(copy.verify, repeats), _milliseconds(copy.verify_model, repeats)
    accepted = sum(_accepted(copy, path, at) for path, at in progress(_drawn(files, flips), "flipping bits"))
    scanned, found, seconds = _pickles(workspace.root)
    return {
        "signature_sign_ms": Figure(signing, "ms", f"{size}; once", COMMAND, n=1),
        "signature_verify_ms": Figure(whole, "ms", f"{size}; median", COMMAND, n=repeats),
        "signature_verify_model_ms": Figure(
            model, "ms", "the model's folder alone, as before Triton reads it; median", COMMAND, n=repeats
        ),
        "signature_flips_accepted": Figure(
            float(accepted), "flips", f"one bit of one file flipped, both drawn at random (seed {SEED}); {size}",
            COMMAND, goal="= 0", met=accepted == 0, n=flips,
        ),
        "pickles_found": Figure(
            float(found), "files", f"all files of a workspace after the whole loop, looked at in {seconds:.1f} s",
            COMMAND, goal="= 0", met=found == 0, n=scanned,
        ),
    }  # fmt: skip


def _stand_in(index: MemoryIndex, release: Release) -> None:
    """For the shop's own index, whose answers are not what is measured."""
    index.create(CollectionInfo(release.collection, release.release_id, release.model_fingerprint, 2, ("vertical",)))
    batch = GalleryBatch(["a/0"], ["a"], np.eye(1, 2, dtype=np.float32), {"vertical": ["bags"]})
    index.upsert(release.collection, batch)
    index.seal(release.collection)


def _milliseconds(work: Callable[[], object], repeats: int) -> float:
    spent = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        spent.append(1_000 * (time.perf_counter() - started))
    return float(np.median(spent))


def _drawn(files: list[Path], flips: int) -> list[tuple[Path, int]]:
    """Files with a bit of each; every file is as likely as another, so that small ones are met."""
    chance = random.Random(SEED)
    picked = [chance.choice(files) for _ in range(flips)]
    return [(path, chance.randrange(8 * path.stat().st_size)) for path in picked]


def _accepted(copy: SignedCopy, path: Path, at: int) -> bool:
    with path.open("r+b") as file:
        file.seek(at // 8)
        before = file.read(1)
        file.seek(at // 8)
        file.write(bytes([before[0] ^ 1 << at % 8]))
        file.flush()
        try:
            copy.verify()
        except UntrustedRelease:
            return False
        finally:
            file.seek(at // 8)
            file.write(before)
    return True


def _pickles(root: Path) -> tuple[int, int, float]:
    """How many files were looked at, how many hold one, and how long it took."""
    started, files = time.perf_counter(), plain_files(root)
    found = sum(scan_file(path) is not None for path in progress(files, "looking for pickles"))
    return len(files), found, time.perf_counter() - started


def main() -> int:
    """0 where it was measured, 2 for something that a person can put right."""
    parser = argparse.ArgumentParser("python -m benchmarks.signing", description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True, help="a workspace with a release in service")
    parser.add_argument("--quick", action="store_true", help="few repeats; nothing is recorded")
    arguments = parser.parse_args()
    repeats, flips = (2, 20) if arguments.quick else (REPEATS, FLIPS)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            found = measure(Workspace(arguments.workspace), Path(scratch), repeats, flips)
    except LookalikeError as error:
        sys.stderr.write(f"bench-signing: {error}\n")
        return 2
    with tempfile.TemporaryDirectory() as aside:
        record("cluster", found, **({"folder": Path(aside)} if arguments.quick else {}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
