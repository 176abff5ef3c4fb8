"""TensorRT's engines of one kind of GPU as one file, to be built on one machine and read on others.

`engine_cache.sh` keeps them in a folder that is named after the GPU, its compute capability and TensorRT's version,
inside it a folder for each model's fingerprint. The file is a tar: a manifest with every digest, its signature where a
key was given, and the engines. The same engines make the same bytes, so its digest names it in any registry.
"""

import re
import tarfile
import tempfile
from datetime import date
from pathlib import Path

from pydantic import Field

from lookalike.config import StrictConfig, load_config
from lookalike.errors import ArtifactError, UntrustedRelease
from lookalike.signing.envelope import read_signed, write_signed
from lookalike.signing.files import digests_of, listed, require_signed
from lookalike.signing.keys import SigningKey, TrustedKeys
from lookalike.signing.statement import Statement
from lookalike.storage import atomic_file, atomic_folder, digest_file, write_json

KIND = "urn:lookalike:engines:1"
MANIFEST, SIGNED = "engines.json", "signed.json"
ENGINE = re.compile(r"[0-9a-f]{64}/[^/]+")
"""<fingerprint>/<file>"""


class EnginePack(StrictConfig):
    """`engines.json`."""

    fits: str
    """Name of the folder for one kind of GPU and TensorRT: nothing else may read these engines."""
    files: dict[str, str] = Field(min_length=1)
    """SHA-256 by <fingerprint>/<file>."""


def pack_engines(folder: Path, artefact: Path, signer: SigningKey | None = None) -> str:
    """Write the engines of a folder, or of the link to it, into `artefact`; returns its SHA-256.

    Raises ArtifactError where there are none, or something else lies among them.
    """
    source = folder.resolve()
    names = sorted(name for name in listed(source) if not name.endswith("/"))
    strange = [name for name in names if not ENGINE.fullmatch(name)]
    if strange or not names:
        raise ArtifactError(f"{folder} holds {strange[0] if strange else 'no engine'}; <fingerprint>/<file> is packed")
    pack = EnginePack(fits=source.name, files=digests_of(source, names))
    artefact.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lookalike-engines-") as scratch, atomic_file(artefact) as aside:
        head = Path(scratch)
        write_json(head / MANIFEST, pack.model_dump())
        if signer is not None:
            write_signed(head / SIGNED, Statement(KIND, pack.files, {"fits": pack.fits}), signer)
        with tarfile.open(aside, "w", format=tarfile.PAX_FORMAT) as tar:
            for root, name in [*((head, each) for each in sorted(listed(head))), *((source, each) for each in names)]:
                tar.add(root / name, name, recursive=False, filter=_plain)
    return digest_file(artefact)


def unpack_engines(artefact: Path, folder: Path, trusted: TrustedKeys | None, day: date) -> list[str]:
    """Put engines where Triton looks for them; returns the fingerprints of the models that had none there.

    Engines that are there already stay: one may be in use. Raises ArtifactError for engines of another GPU or TensorRT
    and for a damaged file; with `trusted`, UntrustedRelease unless it is as one of these keys signed it.
    """
    target = folder.resolve()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target) as scratch:
        aside = Path(scratch)
        _extract(artefact, aside)
        pack = load_config(EnginePack, aside / MANIFEST)
        if pack.fits != target.name:
            raise ArtifactError(f"{artefact} holds engines for {pack.fits}; this machine's are in {target.name}")
        if trusted is not None:
            _require_signature(aside, pack, trusted, day)
        require_signed(aside, pack.files, listed(aside) - {MANIFEST, SIGNED})
        models = sorted({name.partition("/")[0] for name in pack.files})
        added = [model for model in models if not (target / model).exists()]
        for model in added:
            with atomic_folder(target / model) as made:
                for file in (aside / model).iterdir():
                    file.rename(made / file.name)
    return added


def _require_signature(folder: Path, pack: EnginePack, trusted: TrustedKeys, day: date) -> None:
    statement = read_signed(folder / SIGNED, KIND, trusted, day).statement
    if (dict(statement.files), statement.says) != (pack.files, {"fits": pack.fits}):
        raise UntrustedRelease(f"{folder / SIGNED} was signed for other engines")


def _extract(artefact: Path, folder: Path) -> None:
    """Plain files of the expected names only."""
    try:
        with tarfile.open(artefact, "r:") as tar:
            for member in tar:
                known = member.name in (MANIFEST, SIGNED) or ENGINE.fullmatch(member.name)
                if not (member.isreg() and known):
                    raise ArtifactError(f"{artefact} holds {member.name!r}, which is no engine")
                tar.extract(member, folder, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise ArtifactError(f"{artefact} is no whole pack of engines: {error}") from error


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without what differs from machine to machine and day to day."""
    member.mtime, member.uid, member.gid, member.uname, member.gname, member.mode = 0, 0, 0, "", "", 0o644
    return member
