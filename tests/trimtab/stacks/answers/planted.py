"""Evidence with a planted truth."""

import hashlib

from trimtab.stacks.evidence import Evidence, Failure
from trimtab.stacks.proposal import Verdict
from trimtab.stacks.stack import Stack

DIGEST = hashlib.sha256(b"").hexdigest()
IMPORT = "ImportError: cannot import name 'old' from 'beta' (/work/x/site-packages/beta.py)"


def stack_of(pins):
    return Stack("".join(f"{name}=={version} --hash=sha256:{DIGEST}\n" for name, version in pins.items()))


def passing(pins, **figures):
    return Evidence(stack_of(pins), Verdict.PASS, figures=figures)


def failing(pins, message=IMPORT, reason="import"):
    return Evidence(stack_of(pins), Verdict.FAIL, failure=Failure(reason, "run", message))


def draw(random, packages, versions):
    return {f"p{at}": f"1.{random.randrange(versions)}" for at in range(packages)}


def holds(cause, pins):
    return all(pins[name] in versions for name, versions in cause.items())


def evidence_of(random, cause, count, packages=5, versions=6):
    drawn = {tuple(pins.values()): pins for pins in (draw(random, packages, versions) for _ in range(count))}
    return [failing(pins) if holds(cause, pins) else passing(pins) for pins in drawn.values()]
