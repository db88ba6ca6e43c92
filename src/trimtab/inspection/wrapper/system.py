"""The operating system of the image, and the runtime environment by the names of the original."""

from trimtab.inspection.hwinfo.machine import Machine

_KEYS = 256


def os_release(machine: Machine) -> "dict[str, str] | None":
    """`/etc/os-release`, names in lower case, one pair of quotes taken off; None if the image has none."""
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        text = machine.text(path, 65536)
        if text is not None:
            return dict(entry for entry in map(_assignment, text.splitlines()[:_KEYS]) if entry[0])
    return None


def cuda_version(
    machine: Machine, environment: "dict[str, str]", packages: "list[dict[str, str | None]]"
) -> "tuple[str | None, str | None]":
    """The CUDA runtime's version as `12.4`, and where it was seen: in the image, or among the packages."""
    if environment.get("CUDA_VERSION"):
        return _short(environment["CUDA_VERSION"]), "the variable CUDA_VERSION"
    link = machine.target("/usr/local/cuda") or machine.target("/etc/alternatives/cuda") or ""
    for name in [link, *machine.names("/usr/local")]:
        if name.startswith("cuda-") and name[5:6].isdigit():
            return _short(name[5:]), "/usr/local/" + name
    for package in packages:
        if str(package["name"]).startswith("nvidia-cuda-runtime") and package["version"]:
            return _short(package["version"]), "the package " + str(package["name"])
    return None, None


def runtime_environment(
    release: "dict[str, str] | None", processor: "dict[str, object]", python: "str | None", cuda: "str | None"
) -> "dict[str, object]":
    """As the original's resolver reads it; `processor` is the hardware document's `cpu_info`."""
    release = release or {}
    return {
        "cuda_version": cuda,
        "hardware": {"cpu_family": processor.get("family"), "cpu_model": processor.get("model")},
        "operating_system": {"name": release.get("id"), "version": release.get("version_id")},
        "python_version": python,
    }


def _assignment(line: str) -> "tuple[str, str]":
    name, equals, value = line.strip().partition("=")
    if not equals or name.startswith("#"):
        return "", ""
    for quote in ('"', "'"):
        if len(value) > 1 and value[0] == value[-1] == quote:
            value = value[1:-1]
            break
    return name.strip().lower(), value


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])
