"""A Containerfile made ready for this machine: its layers known as ours, and this machine's package index reachable.

What pip, uv and apt are told comes as secrets of the build, which are mounted while an instruction runs and are in no
layer; arguments of the build point at them, which are in no image's environment.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.container.labels import LAYER, STATE
from trimtab.engines.index import Index

__all__ = ["Secrets", "prepare"]

_HOME = "/run/secrets"
_CERTIFICATE, _PIP, _UV, _APT = "trimtab-ca", "trimtab-pip", "trimtab-uv", "trimtab-apt"
_VARIABLES: Mapping[str, tuple[str, ...]] = {
    _CERTIFICATE: (
        "PIP_CERT",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
    ),
    _PIP: ("PIP_CONFIG_FILE",),
    _UV: ("UV_CONFIG_FILE",),
    _APT: ("APT_CONFIG",),
}
_FROM = re.compile(r"\s*FROM\s", re.IGNORECASE)
_RUN = re.compile(r"(\s*RUN)(\s)", re.IGNORECASE)
_HERE = re.compile(r"<<-?[\"']?([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Files that a build sees while it runs.

    Attributes:
        files: The file on this machine by the secret's name.
    """

    files: Mapping[str, Path]

    @classmethod
    def write(cls, index: Index, directory: Path) -> "Secrets":
        """Write what the index needs into a directory of ours."""
        files = {}
        texts = {_PIP: index.pip_conf() if index.pip_conf() != "[global]\n" else "", _UV: index.uv_toml()}
        if index.certificate:
            files[_CERTIFICATE] = index.certificate
            texts[_APT] = f'Acquire::https::CAInfo "{_HOME}/{_CERTIFICATE}";\n'
        for name, text in texts.items():
            if text:
                files[name] = directory / name
                files[name].touch(mode=0o600)
                files[name].write_text(text)
        return cls(files)

    def options(self) -> list[str]:
        """The options of `build` that bring them."""
        return [part for name, path in self.files.items() for part in ("--secret", f"id={name},src={path}")]


def prepare(text: str, secrets: Secrets, labels: Mapping[str, str]) -> str:
    """The Containerfile with our labels, and the secrets at each instruction that runs something.

    Args:
        text: A Containerfile.
        secrets: What a build shall see.
        labels: Those of the image. They come last, so that all before them is found in the cache by other builds.
    """
    mounts = "".join(
        f" --mount=type=secret,id={name},target={_HOME}/{name},mode=0444" for name in secrets.files
    )
    lines = []
    for line, begins in _instructions(text):
        if begins and _FROM.match(line):
            lines += [line, f"LABEL {LAYER}={labels[STATE]}\n", *_arguments(secrets)]
        elif begins and mounts:
            lines.append(
                _RUN.sub(lambda found: f"{found[1]}{mounts}{found[2]}", line, count=1)
                if _RUN.match(line)
                else line
            )
        else:
            lines.append(line)
    if lines and not lines[-1].endswith("\n"):
        lines.append("\n")
    return "".join(lines) + f"LABEL {' '.join(f'{name}={value}' for name, value in labels.items())}\n"


def _arguments(secrets: Secrets) -> Iterator[str]:
    pairs = [f"{variable}={_HOME}/{name}" for name in secrets.files for variable in _VARIABLES[name]]
    if pairs:
        yield f"ARG {' '.join(pairs)}\n"


def _instructions(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether an instruction begins in it."""
    continued, here = False, ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        bare = line.strip()
        if here:
            yield line, False
            here = "" if bare == here else here
            continue
        begins = not continued and bool(bare) and not bare.startswith("#")
        yield line, begins
        if bare.startswith("#") or (continued and not bare):
            continue
        if found := _HERE.search(line) if begins else None:
            here = found[1]
        continued = bare.endswith("\\")
