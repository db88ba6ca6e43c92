"""One locked set of packages."""

import pytest

from trimtab.catalog.stacks import packages_of, stack_digest
from trimtab.stacks import Stack

HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    "lock",
    [
        f"web==1.2 \\\n    {HASH} \\\n    {HASH}\ncore==2.0.post1 \\\n    {HASH}\n",
        f"web[fast]==1.2+local ; python_version >= '3' {HASH}\n",
        f"# made\nb-b==1 {HASH}\na==10 {HASH}\na-a==9 {HASH}\nA.B==1!2 {HASH}\n",
        f"web @ https://registry.example/web-1-py3-none-any.whl {HASH}\ncore==1 {HASH}\n",
        "",
    ],
)
def test_a_stack_has_the_digest_by_which_the_catalog_knows_it(lock):
    known = packages_of({"python": {"lock": {"requirements.txt": lock}}})
    assert Stack(lock).digest == stack_digest(known)
    assert dict(Stack(lock).pins) == {each.name: each.version for each in known}


def test_a_lock_is_not_shown_by_accident():
    assert "web" not in repr(Stack(f"web==1 {HASH}\n"))
