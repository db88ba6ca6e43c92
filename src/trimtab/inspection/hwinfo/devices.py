"""GPUs, and what the machine itself runs in."""

from trimtab.inspection.hwinfo.machine import Machine, integer, pairs, variables

_NVIDIA = "/proc/driver/nvidia"
_DRM = "/sys/class/drm"
_DMI = "/sys/class/dmi/id"
_VENDORS = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
_HYPERVISORS = {
    "qemu": "kvm",
    "kvm": "kvm",
    "vmware": "vmware",
    "microsoft": "hyperv",
    "xen": "xen",
    "google": "kvm",
}
_MOST = 64


def gpus(machine: Machine) -> "list[dict[str, object]]":
    """The GPUs a kernel driver knows of: from NVIDIA's driver what it tells, of others what the bus tells."""
    told = _nvidia(machine)
    known = {entry["bus"] for entry in told}
    return (told + [entry for entry in _drm(machine) if entry["bus"] not in known])[:_MOST]


def virtualization(
    machine: Machine, found: "list[dict[str, str]]", environment: "dict[str, str] | None" = None
) -> "dict[str, object]":
    """Hypervisor and container around this process, as far as they show; None where they do not."""
    first = found[0] if found else {}
    vendor, product = machine.text(_DMI + "/sys_vendor", 256), machine.text(_DMI + "/product_name", 256)
    hidden = "hypervisor" in first.get("flags", "").split()
    return {
        "hypervisor": _hypervisor(machine, " ".join([vendor or "", product or ""]).lower(), hidden),
        "container": _container(machine, variables() if environment is None else environment),
        "vendor": vendor or None,
        "product": product or None,
    }


def _nvidia(machine: Machine) -> "list[dict[str, object]]":
    version = next(iter(machine.lines(_NVIDIA + "/version", 4096)), "")
    words = [word for word in version.split() if word[:1].isdigit() and "." in word]
    found: list[dict[str, object]] = []
    for bus in machine.names(_NVIDIA + "/gpus")[:_MOST]:
        told = pairs(machine.lines(_NVIDIA + "/gpus/" + bus + "/information", 4096))
        found.append(
            {
                "vendor": "NVIDIA",
                "name": told.get("Model"),
                "uuid": told.get("GPU UUID"),
                "bus": bus,
                "driver": "nvidia",
                "driver_version": words[0] if words else None,
                "memory": None,
                "device": None,
            }
        )
    return found


def _drm(machine: Machine) -> "list[dict[str, object]]":
    found: list[dict[str, object]] = []
    for card in machine.names(_DRM):
        place = _DRM + "/" + card + "/device"
        vendor = machine.text(place + "/vendor", 64)
        if card[:4] != "card" or not card[4:].isdigit() or vendor not in _VENDORS:
            continue  # connectors, and the emulated screens of virtual machines
        found.append(
            {
                "vendor": _VENDORS[vendor],
                "name": machine.text(place + "/product_name", 256) or None,
                "uuid": machine.text(place + "/unique_id", 256) or None,
                "bus": machine.target(place),
                "driver": machine.target(place + "/driver"),
                "driver_version": None,
                "memory": integer(machine.text(place + "/mem_info_vram_total", 64)),
                "device": machine.text(place + "/device", 64),
            }
        )
    return found


def _hypervisor(machine: Machine, product: str, hidden: bool) -> "str | None":  # noqa: FBT001 - what the flags say
    kind = machine.text("/sys/hypervisor/type", 64)
    if kind:
        return kind
    named = next((name for word, name in _HYPERVISORS.items() if word in product), None)
    return named or ("unknown" if hidden else None)


def _container(machine: Machine, environment: "dict[str, str]") -> "str | None":
    if "KUBERNETES_SERVICE_HOST" in environment:
        return "kubernetes"
    if machine.exists("/run/.containerenv"):
        return "podman"
    if machine.exists("/.dockerenv"):
        return "docker"
    return environment.get("container") or None
