"""How much of an image is read before it is called a bomb."""

from dataclasses import dataclass

__all__ = ["Limits"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one reading. What passes one of them is told as a finding, and the rest is still read.

    Parameters:
        unpacked: Bytes of a layer after decompression.
        members: Members of a layer's archive.
        kept: Files, links and directories of the image that are remembered, as paths.
        held: Bytes of contents that are remembered in memory.
        spilled: Bytes of contents that are remembered in temporary files.
        seconds: Time for one layer, from its first byte.
        header: Bytes of an archive's long names and extended headers.
        layers: Layers of an image.
        document: Bytes of a manifest, an index or a configuration.
    """

    unpacked: int = 64 << 30
    members: int = 5_000_000
    kept: int = 500_000
    held: int = 96 * MIB
    spilled: int = 4 << 30
    seconds: float = 3600.0
    header: int = MIB
    layers: int = 500
    document: int = 16 * MIB
