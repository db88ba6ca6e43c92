"""A Containerfile is made ready for this machine without a change of what it builds."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trimtab.engines.containerfile import Secrets, prepare
from trimtab.engines.index import Index
from trimtab.engines.progress import CacheWatch

LABELS = {"trimtab.inspection": "i-1", "trimtab.state": "abc"}
MOUNT = "--mount=type=secret,id=trimtab-pip,target=/run/secrets/trimtab-pip,mode=0444"
PIP = Secrets({"trimtab-pip": Path("/x")})


def test_labels_come_last_and_secrets_where_something_runs():
    text = 'FROM base\nENV a="RUN b"\nRUN ["/bin/sh", "-c", "x"]\nCOPY a /b\nrun y && \\\n  RUN z\n# RUN c\nCMD ["RUN"]'
    assert prepare(text, PIP, LABELS).splitlines() == [
        "FROM base",
        "LABEL trimtab.layer=abc",
        "ARG PIP_CONFIG_FILE=/run/secrets/trimtab-pip",
        'ENV a="RUN b"',
        f'RUN {MOUNT} ["/bin/sh", "-c", "x"]',
        "COPY a /b",
        f"run {MOUNT} y && \\",
        "  RUN z",
        "# RUN c",
        'CMD ["RUN"]',
        "LABEL trimtab.inspection=i-1 trimtab.state=abc",
    ]


def test_a_here_document_is_left_alone():
    text = "FROM a\nRUN <<EOF\nRUN inside\nFROM inside\nEOF\nRUN after\n"
    assert f"RUN {MOUNT} <<EOF\nRUN inside\nFROM inside\nEOF\nRUN {MOUNT} after\n" in prepare(
        text, PIP, LABELS
    )


LINES = ["FROM a", "RUN b", "RUN c \\", "d", "# e", "", "COPY f g", 'CMD ["h"]']


@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_without_secrets_only_labels_are_added(lines):
    text = "".join(f"{line}\n" for line in ["FROM a", *lines])
    found = prepare(text, Secrets({}), LABELS)
    assert "".join(line for line in found.splitlines(keepends=True) if not line.startswith("LABEL")) == text


def test_secrets_are_files_for_nobody_else(tmp_path):
    certificate = tmp_path / "ca.pem"
    certificate.touch()
    index = Index("https://user:password@m.example.com/simple", certificate=certificate)
    secrets = Secrets.write(index, tmp_path)
    assert sorted(secrets.files) == ["trimtab-apt", "trimtab-ca", "trimtab-pip", "trimtab-uv"]
    assert secrets.files["trimtab-pip"].stat().st_mode & 0o777 == 0o600
    assert "password" not in " ".join(secrets.options())
    assert "password" not in prepare("FROM a\nRUN b\n", secrets, LABELS)


def test_a_build_is_cached_if_all_that_it_did_was():
    watch = CacheWatch()
    watch.write(b"STEP 1/3: FROM a\nSTEP 2/3: RUN b\n--> Using ca")
    assert not watch.cached
    watch.write(b"che 123\nSTEP 3/3: LABEL x=y\n--> abc\n")
    assert watch.cached
    watch.write(b"STEP 4/5: COPY c d\n--> def\n")
    assert not watch.cached


def test_layers_that_come_from_a_registry_are_found_too():
    watch = CacheWatch()
    watch.write(
        b"STEP 1/2: FROM a\nSTEP 2/2: RUN b\n--> Cache pulled from remote registry.example/cache:123\n"
    )
    assert watch.cached


def test_the_same_of_buildkit():
    watch = CacheWatch()
    watch.write(b"#5 [2/3] RUN a\n#5 sha256:1\n#6 [3/3] COPY b c\n#5 CACHED\n")
    assert not watch.cached
    watch.write(b"#6 CACHED\n")
    assert watch.cached


def test_a_build_that_did_nothing_is_not_called_cached():
    assert not CacheWatch().cached
