"""`cpu_type`: the yes-or-no questions about a processor that documents of old answer.

Each asks the first block of `/proc/cpuinfo`. None is "cannot be told": the field that would tell is not there.
"""

_INTEL, _AMD = "GenuineIntel", "AuthenticAMD"

# Words in the name of the model, in this order.
_BRANDS = {
    "is_Athlon64": ("Athlon(tm) 64",),
    "is_AthlonHX": ("Athlon HX",),
    "is_AthlonK6": ("AMD-K6",),
    "is_AthlonK7": ("AMD-K7",),
    "is_AthlonMP": ("Athlon(tm) MP",),
    "is_Celeron": ("Celeron",),
    "is_Hammer": ("Hammer",),
    "is_Opteron": ("Opteron",),
    "is_Pentium": ("Pentium",),
    "is_PentiumII": ("Pentium", "II"),
    "is_PentiumIII": ("Pentium", "III"),
    "is_PentiumM": ("Pentium", "M"),
    "is_PentiumMMX": ("Pentium", "MMX"),
    "is_PentiumPro": ("PentiumPro",),
}
_FLAGS = {
    "has_3dnow": "3dnow",
    "has_3dnowext": "3dnowext",
    "has_mmx": "mmx",
    "has_sse": "sse",
    "has_sse2": "sse2",
    "has_sse3": "pni",
    "has_ssse3": "ssse3",
}
_ALPHA = {"is_EV4": "EV4", "is_EV5": "EV5", "is_EV56": "EV56", "is_PCA56": "PCA56"}
_POWER = {"is_Power7": "POWER7", "is_Power8": "POWER8", "is_Power9": "POWER9"}
_BUGS = {"has_f00f_bug": "f00f_bug", "has_fdiv_bug": "fdiv_bug"}


def cpu_type(found: "list[dict[str, str]]", bits: "int | None") -> "dict[str, object]":
    """The answers, by the names of old; `bits` of the architecture."""
    first = found[0] if found else {}
    answers: dict[str, object] = dict.fromkeys(("not_impl", "try_call", "is_i386"))
    answers.update(_by_brand(first))
    answers.update(_by_flags(first))
    answers.update(_by_vendor(first, bits, answers))
    answers.update(_by_name(first))
    answers["is_singleCPU"] = len(found) == 1 if found else None
    answers["is_32bit"] = bits == 32 if bits else None  # noqa: PLR2004 - what is asked
    answers["is_64bit"] = bits == 64 if bits else None  # noqa: PLR2004 - the same
    answers["nbits"] = str(bits) if bits else None
    answers["ncpus"] = len(found) or None
    return answers


def _by_brand(first: "dict[str, str]") -> "dict[str, object]":
    name = first.get("model name")
    if name is None:
        return dict.fromkeys([*_BRANDS, "is_PentiumIV", "is_Core2", "is_Itanium", "is_Xeon", "is_XEON"])
    answers: dict[str, object] = {key: _has(name, words) for key, words in _BRANDS.items()}
    answers["is_PentiumIV"] = _has(name, ("Pentium", "IV")) or _has(name, ("Pentium", "4"))
    answers["is_Xeon"] = answers["is_XEON"] = _has(name.lower(), ("xeon",))
    answers["is_Core2"] = first.get("vendor_id") == _INTEL and _has(name, ("Core(TM)2",))
    answers["is_Itanium"] = _has(first["family"], ("Itanium",)) if "family" in first else None
    return answers


def _by_flags(first: "dict[str, str]") -> "dict[str, object]":
    flags = first["flags"].split() if "flags" in first else None
    answers: dict[str, object] = {
        key: None if flags is None else name in flags for key, name in _FLAGS.items()
    }
    for key, name in _BUGS.items():
        answers[key] = first[name] == "yes" if name in first else None
    return answers


def _by_vendor(
    first: "dict[str, str]", bits: "int | None", so_far: "dict[str, object]"
) -> "dict[str, object]":
    vendor, family = first.get("vendor_id"), first.get("cpu family")
    if vendor is None:
        names = "is_Intel is_AMD is_AMD64 is_AthlonK6_2 is_AthlonK6_3 is_Nocona is_Prescott is_i586 is_i686"
        return dict.fromkeys(names.split())
    intel, amd = vendor == _INTEL, vendor == _AMD
    sse3_only = bool(so_far["has_sse3"]) and not so_far["has_ssse3"]
    return {
        "is_Intel": intel,
        "is_AMD": amd,
        "is_AMD64": amd and family == "15",
        "is_AthlonK6_2": amd and first.get("model") == "2",
        "is_AthlonK6_3": amd and first.get("model") == "3",
        "is_Nocona": intel and family in {"6", "15"} and sse3_only and bits == 64,  # noqa: PLR2004 - its bits
        "is_Prescott": bool(so_far["is_PentiumIV"]) and bool(so_far["has_sse3"]),
        "is_i586": intel and family == "5",
        "is_i686": intel and family == "6",
    }


def _by_name(first: "dict[str, str]") -> "dict[str, object]":
    name = first.get("cpu")  # Alpha, Power and old i486 tell their name here
    if name is None:
        unknown = ["is_Alpha", "is_Power", "has_Altivec", "is_i486", *_ALPHA, *_POWER]
        return dict.fromkeys(unknown)
    alpha = name == "Alpha"
    answers: dict[str, object] = {"is_Alpha": alpha, "is_i486": name == "i486"}
    answers["is_Power"] = name.upper().startswith("POWER")
    answers["has_Altivec"] = "altivec" in name.lower()
    answers.update((key, alpha and first.get("cpu model") == model) for key, model in _ALPHA.items())
    answers.update((key, name.upper().startswith(model)) for key, model in _POWER.items())
    return answers


def _has(text: str, words: "tuple[str, ...]") -> bool:
    """Whether the words are in the text one after the other, each ending there where a word ends."""
    place = 0
    for word in words:
        place = _after(text, word, place)
        if place < 0:
            return False
    return True


def _after(text: str, word: str, start: int) -> int:
    found = text.find(word, start)
    while found >= 0:
        end = found + len(word)
        if not (text[end : end + 1].isalnum() and word != "Pentium"):  # "PentiumPro" is a Pentium
            return end
        found = text.find(word, found + 1)
    return -1
