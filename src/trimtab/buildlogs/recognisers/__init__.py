"""Recognisers, one module a tool."""

from trimtab.buildlogs.recognisers.apk import Apk
from trimtab.buildlogs.recognisers.apt import Apt
from trimtab.buildlogs.recognisers.buildkit import BuildKit
from trimtab.buildlogs.recognisers.cluster import Cluster
from trimtab.buildlogs.recognisers.compiler import Compiler
from trimtab.buildlogs.recognisers.conda import Conda
from trimtab.buildlogs.recognisers.dnf import Dnf
from trimtab.buildlogs.recognisers.dockerfile import Dockerfile
from trimtab.buildlogs.recognisers.micropipenv import Micropipenv
from trimtab.buildlogs.recognisers.network import Network
from trimtab.buildlogs.recognisers.pip import Pip
from trimtab.buildlogs.recognisers.pipenv import Pipenv
from trimtab.buildlogs.recognisers.poetry import Poetry
from trimtab.buildlogs.recognisers.push import Push
from trimtab.buildlogs.recognisers.s2i import S2I
from trimtab.buildlogs.recognisers.system import System
from trimtab.buildlogs.recognisers.thoth import Thoth
from trimtab.buildlogs.recognisers.uv import Uv
from trimtab.buildlogs.recognisers.zypper import Zypper

__all__ = ["ALL"]

ALL = (
    Pip, Micropipenv, Pipenv, Uv, Poetry, Conda, Apt, Dnf, Zypper, Apk, S2I, Thoth, Dockerfile, BuildKit, Push, Cluster, Compiler, Network, System,
)  # fmt: skip
