"""The Containerfile of a specification.

In the order of the original service, so that what an instruction finds is what it found there; each group of files is one
COPY, and the script comes last, for it changes most:

FROM, USER 0 (root; an image need not know the name), ENV, packages, python_packages, files, lock, script, USER 1042, WORKDIR /home/amun.

Needs of a base image: nothing, where only files and a script are added; `/bin/sh`, rm, mkdir, for packages; chmod, chown and
Python as well, for a stack.
"""

from collections.abc import Iterable, Iterator

from trimtab.inspection.context.grammar import copy, environment, run
from trimtab.inspection.context.placement import HOME_TREE, place_files
from trimtab.inspection.context.variables import WRAPPED, split
from trimtab.inspection.specification import HOME, Specification

__all__ = [
    "ENTRYPOINT",
    "LOCK_TREE",
    "OWNER",
    "SCRIPT_TREE",
    "TOOLS",
    "TOOLS_TREE",
    "USER",
    "containerfile",
    "needs_tools",
    "wrapper_name",
]

USER = 1042
OWNER = f"{USER}:0"
"""Group 0 may do what the user may, so that a cluster may run an image under any user of that group."""
TOOLS = "/opt/trimtab/"
"""Directory of an image with what installs."""
TOOLS_TREE = "tools/"
LOCK_TREE = "lock/"
SCRIPT_TREE = "run/"
ENTRYPOINT = "entrypoint"
"""The run wrapper: its name in the context's root and in /home/amun."""
_INSTALL = ("/bin/sh", f"{TOOLS}install")


def containerfile(specification: Specification) -> str:
    """The text of the Containerfile; deterministic, and of the script it only says that there is one.

    Raises:
        SpecificationError: It is one of the store that could not be submitted today.
    """
    checked = specification.checked()
    return "".join(
        [
            f"FROM {checked.base}\nUSER 0\n",
            *_environment(checked),
            *_tools(checked),
            *_packages(checked),
            *_files(checked),
            *_stack(checked),
            *_script(checked),
            *_home(checked),
            f"USER {USER}\nWORKDIR {HOME}\n",
        ]
    )


def _environment(specification: Specification) -> Iterator[str]:
    plain, _ = split(specification.variables)
    if plain:
        yield environment(plain.items())


def _tools(specification: Specification) -> Iterator[str]:
    if needs_tools(specification):
        yield copy([TOOLS_TREE], TOOLS)


def _packages(specification: Specification) -> Iterator[str]:
    if specification.update or specification.packages:
        yield _run("system", ["--update"] * specification.update, specification.packages)
    if specification.upgrade_pip or specification.python_packages:
        yield _run("python", ["--upgrade-pip"] * specification.upgrade_pip, specification.python_packages)


def _run(what: str, options: Iterable[str], names: Iterable[str]) -> str:
    return run([*_INSTALL, what, *options, "--"], names)


def _files(specification: Specification) -> Iterator[str]:
    yield copy([f"{HOME_TREE}/"], "/home/", owner=OWNER)
    groups = {each.group: each.directory for each in place_files(specification) if each.group != HOME_TREE}
    for group, directory in groups.items():
        yield copy([f"{group}/"], directory)


def _stack(specification: Specification) -> Iterator[str]:
    stack = specification.python
    if stack is None or stack.kind is None:
        return
    version, upgrade = stack.required_version or "", "1" if specification.upgrade_pip else ""
    yield copy([LOCK_TREE], f"{HOME}/", owner=OWNER)
    yield run([*_INSTALL, "stack", specification.installer, stack.kind, version, upgrade])


def _script(specification: Specification) -> Iterator[str]:
    if specification.script is None:
        return
    yield copy([SCRIPT_TREE], f"{HOME}/", owner=OWNER)
    # The base's own entry point would be started instead of the wrapper, and get it as an argument.
    yield f'ENTRYPOINT []\nCMD ["{HOME}/{ENTRYPOINT}"]\n'


def _home(specification: Specification) -> Iterator[str]:
    if "HOME" not in specification.variables:
        yield environment([("HOME", HOME)])


def needs_tools(specification: Specification) -> bool:
    """Whether anything is done in the image with what Trimtab brings along."""
    encoded = split(specification.variables)[1]
    return bool([*_packages(specification), *_stack(specification), *encoded])


def wrapper_name(specification: Specification) -> str:
    """What the run wrapper is called in the image: another name, if the launcher has its own."""
    return WRAPPED if split(specification.variables)[1] else ENTRYPOINT
