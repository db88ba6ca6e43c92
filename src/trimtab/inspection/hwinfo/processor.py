"""The processor: `cpu_info` and `cpu_features`, with the keys that py-cpuinfo gives them."""

from trimtab.inspection.hwinfo.machine import Machine, integer

_CPU = "/sys/devices/system/cpu/cpu0"
_FASTEST = 1e6  # MHz, of numbers that may be believed
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_ARCHITECTURES = (
    ("x86_64", "X86_64", 64),
    ("amd64", "X86_64", 64),
    ("i", "X86_32", 32),
    ("aarch64", "ARM_8", 64),
    ("arm64", "ARM_8", 64),
    ("armv8", "ARM_8", 64),
    ("armv7", "ARM_7", 32),
    ("ppc64", "PPC_64", 64),
    ("ppc", "PPC_32", 32),
    ("s390x", "S390X", 64),
    ("riscv64", "RISCV_64", 64),
    ("riscv", "RISCV_32", 32),
    ("loongarch64", "LOONG_64", 64),
    ("mips64", "MIPS_64", 64),
    ("mips", "MIPS_32", 32),
)


def processors(machine: Machine) -> "list[dict[str, str]]":
    """The blocks of `/proc/cpuinfo` that are of a processor, names in lower case.

    What stands outside of them (`Hardware`, the features of s390) is added to each.
    """
    common: dict[str, str] = {}
    found: list[dict[str, str]] = []
    for block in (machine.text("/proc/cpuinfo") or "").split("\n\n"):
        entry = _entry(block)
        (found.append if _is_processor(entry) else common.update)(entry)
    return [_merged(common, entry) for entry in found]


def architecture(name: str) -> "tuple[str | None, int | None]":
    """The family of architectures, and bits, of a name as `uname -m` says it."""
    for start, family, bits in _ARCHITECTURES:
        if name.lower().startswith(start):
            return family, bits
    return None, None


def cpu_info(machine: Machine, found: "list[dict[str, str]]", name: str) -> "dict[str, object]":
    """What the processor is. `name` is the architecture as `uname -m` says it."""
    first = found[0] if found else {}
    family, bits = architecture(name)
    actual, advertised = _actual(machine, first), _advertised(machine, first)
    second = cache(machine, 2)
    return {
        "arch": family,
        "arch_string_raw": name or None,
        "bits": bits,
        "brand_raw": brand(first),
        "count": len(found) or None,
        "cpuinfo_version": None,
        "cpuinfo_version_string": None,
        "family": integer(first.get("cpu family")),
        "model": integer(first.get("model")),
        "stepping": integer(first.get("stepping")),
        "vendor_id_raw": first.get("vendor_id"),
        "hz_actual_friendly": _friendly(actual),
        "hz_advertised_friendly": _friendly(advertised),
        "l2_cache_associativity": second["ways"],
        "l2_cache_line_size": second["line"],
        "microcode": first.get("microcode"),
        "implementer": first.get("cpu implementer"),
        "part": first.get("cpu part"),
        "variant": first.get("cpu variant"),
        "revision": first.get("cpu revision"),
    }


def cpu_features(machine: Machine, found: "list[dict[str, str]]") -> "dict[str, object]":
    """What the processor can do, and how fast and large it is: frequencies in Hz, caches in bytes."""
    first = found[0] if found else {}
    actual, advertised = _actual(machine, first), _advertised(machine, first)
    return {
        "flags": flags(first),
        "hz_actual": [actual, 0] if actual else None,
        "hz_actual_raw": None,
        "hz_advertised": [advertised, 0] if advertised else None,
        "hz_advertised_raw": None,
        "l1_data_cache_size": cache(machine, 1, "Data")["size"],
        "l1_instruction_cache_size": cache(machine, 1, "Instruction")["size"],
        "l2_cache_size": cache(machine, 2)["size"],
        "l3_cache_size": cache(machine, 3)["size"],
    }


def brand(first: "dict[str, str]") -> "str | None":
    """The name of a processor. ARM's have none here: what they tell by numbers takes its place."""
    named = first.get("model name") or first.get("cpu model")
    if not named and "cpu implementer" in first:
        named = "implementer {} part {}".format(first["cpu implementer"], first.get("cpu part", "unknown"))
    other = first.get("cpu") or first.get("uarch") or first.get("isa") or first.get("hardware")
    return " ".join((named or other or "").split()) or None


def flags(first: "dict[str, str]") -> "list[str]":
    """What it can do, by the kernel's names, sorted."""
    return sorted(set((first.get("flags") or first.get("features") or "").split()))


def cache(machine: Machine, level: int, kind: str = "") -> "dict[str, int | None]":
    """Bytes, ways and line of the first processor's cache of a level; None where it is not told."""
    for place, its_level, its_kind in _caches(machine):
        if its_level == level and its_kind in {kind, "Unified"}:
            ways = machine.integer(place + "/ways_of_associativity")
            line = machine.integer(place + "/coherency_line_size")
            return {"size": _size(machine.text(place + "/size")), "ways": ways or None, "line": line}
    return {"size": None, "ways": None, "line": None}


def _caches(machine: Machine) -> "list[tuple[str, int | None, str | None]]":
    if machine.caches is None:
        places = [_CPU + "/cache/" + name for name in machine.names(_CPU + "/cache")]
        machine.caches = [
            (place, machine.integer(place + "/level"), machine.text(place + "/type")) for place in places
        ]
    return machine.caches


def _entry(block: str) -> "dict[str, str]":
    entry: dict[str, str] = {}
    for line in block.splitlines():
        name, _, value = line.partition(":")
        entry.setdefault(name.strip().lower(), value.strip())
    entry.pop("", None)
    return entry


def _is_processor(entry: "dict[str, str]") -> bool:
    # On s390 the number is in the name: "processor 0", "cpu number".
    return "processor" in entry or "cpu number" in entry


def _merged(common: "dict[str, str]", entry: "dict[str, str]") -> "dict[str, str]":
    both = dict(common)
    both.update(entry)
    return both


def _actual(machine: Machine, first: "dict[str, str]") -> "int | None":
    return _hertz(first.get("cpu mhz") or first.get("clock"), 1e6) or _kilohertz(machine, "scaling_cur_freq")


def _advertised(machine: Machine, first: "dict[str, str]") -> "int | None":
    _, at, speed = first.get("model name", "").rpartition("@")
    if at:
        for unit, factor in (("GHz", 1e9), ("MHz", 1e6)):
            if speed.strip().endswith(unit):
                return _hertz(speed.strip()[:-3], factor)
    return (
        _kilohertz(machine, "base_frequency")
        or _kilohertz(machine, "cpuinfo_max_freq")
        or _actual(machine, first)
    )


def _kilohertz(machine: Machine, name: str) -> "int | None":
    value = machine.integer(_CPU + "/cpufreq/" + name)
    return value * 1000 if value else None


def _hertz(text: "str | None", factor: float) -> "int | None":
    try:
        value = float((text or "").rstrip("MHhz").strip())
    except ValueError:
        return None
    return int(value * factor + 0.5) if 0 < value < _FASTEST else None


def _friendly(hertz: "int | None") -> "str | None":
    return f"{hertz / 1e9:.4f} GHz" if hertz else None


def _size(text: "str | None") -> "int | None":
    text = text or ""
    if text[-1:] in _UNITS:
        number = integer(text[:-1])
        return None if number is None else number * _UNITS[text[-1]]
    return integer(text)
