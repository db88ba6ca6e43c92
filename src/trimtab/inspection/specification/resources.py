"""What builds and runs may use, where, and for how long."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue

from servo.types.duration import Duration
from trimtab.engines.request import Resources
from trimtab.inspection.specification.limits import MAX_TIMEOUT, MAX_WARMUP
from trimtab.inspection.specification.part import Part
from trimtab.inspection.specification.quantity import cores, octets

__all__ = [
    "BuildPhase",
    "BuildRequests",
    "Hardware",
    "Isolation",
    "Requests",
    "RunPhase",
    "RunRequests",
    "Toleration",
]

DEFAULT_CPU = "500m"
DEFAULT_MEMORY = "256Mi"
_MAX_DURATION = 64


def _from_number(value: Any) -> Any:
    """Old documents have bare numbers."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _check_cpu(value: str) -> str:
    cores(value)
    return value


def _check_memory(value: str) -> str:
    octets(value)
    return value


def _to_seconds(value: Any) -> Any:
    return Duration(value[:_MAX_DURATION]).total_seconds() if isinstance(value, str) else value


def _check_timeout(value: float) -> float:
    if not 0 < value <= MAX_TIMEOUT:
        raise ValueError(f"{value:g} s is not more than 0 and at most {MAX_TIMEOUT} s")
    return value


_Seconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT)]
_Duration = Annotated[str, Field(min_length=1, max_length=_MAX_DURATION)]
Timeout = Annotated[
    float,
    BeforeValidator(_to_seconds, json_schema_input_type=_Seconds | _Duration),
    AfterValidator(_check_timeout),
]
Label = Annotated[str, Field(max_length=63)]
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]  # a DNS name, a slash, and 63 characters


class Hardware(Part):
    """The processor that is wanted. It is found there, or the inspection is refused; it is never ignored."""

    cpu_family: Annotated[int, Field(ge=0, lt=2**31, description="Family of the processor, as CPUID says")]
    cpu_model: Annotated[int, Field(ge=0, lt=2**31, description="Model of the processor, as CPUID says")]
    processor: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="Name of the processor; in a cluster the value of the node's label `processor`",
            examples=["Intel-Xeon-Processor-Skylake-IBRS"],
        ),
    ]
    physical_cpus: Annotated[
        int | None, Field(ge=1, lt=2**31, description="Processors that the machine has")
    ] = None


class Toleration(Part):
    """A taint of a node that is accepted, as Kubernetes writes it."""

    key: Annotated[str | None, Field(max_length=317, description="Key of the taint; unset: any")] = None
    operator: Annotated[
        Literal["Exists", "Equal"] | None, Field(description="How `value` is compared; unset: Equal")
    ] = None
    value: Annotated[str | None, Field(max_length=63, description="Value of the taint")] = None
    effect: Annotated[
        Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None,
        Field(description="Effect of the taint; unset: any"),
    ] = None
    toleration_seconds: Annotated[
        int | None,
        Field(
            alias="tolerationSeconds",
            ge=0,
            lt=2**63,
            description="How long a NoExecute taint is tolerated; unset: for ever",
        ),
    ] = None


class Requests(Part):
    """Resources, which are request and limit at once, and where they are to be had."""

    cpu: Annotated[
        str,
        BeforeValidator(_from_number),
        AfterValidator(_check_cpu),
        Field(
            min_length=1,
            max_length=64,
            description="Cores, as a quantity of Kubernetes",
            examples=["500m", "2"],
        ),
    ] = DEFAULT_CPU
    memory: Annotated[
        str,
        BeforeValidator(_from_number),
        AfterValidator(_check_memory),
        Field(
            min_length=1,
            max_length=64,
            description="Memory, as a quantity of Kubernetes",
            examples=["256Mi", "4Gi"],
        ),
    ] = DEFAULT_MEMORY
    gpu: Annotated[int, Field(ge=0, le=64, description="GPUs; of a fraction of one there is no notion")] = 0
    hardware: Annotated[Hardware | None, Field(description="The processor that is wanted; unset: any")] = None
    node_selector: Annotated[
        dict[LabelKey, Label],
        Field(
            max_length=32,
            description="Labels that the node of a cluster must have",
            examples=[{"kubernetes.io/arch": "amd64"}],
        ),
    ] = Field(default_factory=dict)
    tolerations: Annotated[
        tuple[Toleration, ...],
        Field(
            max_length=32,
            description="Taints of a cluster's node that are accepted, as Kubernetes writes them",
        ),
    ] = ()

    def to_resources(self) -> Resources:
        """For an engine: cores and bytes."""
        hardware = self.hardware.model_dump(exclude_none=True) if self.hardware else {}
        return Resources(
            cpu=cores(self.cpu),
            memory=octets(self.memory),
            hardware={name: str(value) for name, value in hardware.items()},
            gpus=self.gpu,
            node_selector=dict(self.node_selector),
            tolerations=tuple(each.model_dump(exclude_none=True) for each in self.tolerations),
        )


class BuildRequests(Requests):
    """What the build may use. The original service let further keys pass here, and so old documents may have some."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]


class RunRequests(Requests):
    """What each run may use."""


class Isolation(Part):
    """What a run is kept from."""

    network: Annotated[
        bool, Field(description="Whether a run may speak to others; by default it has no network")
    ] = False
    scope: Annotated[
        Literal["run", "batch"],
        Field(
            description="What has a place (container, directory) of its own: each `run`; or the `batch`, whose runs "
            "then see what those before have left, and start sooner"
        ),
    ] = "run"


class BuildPhase(Part):
    """The build."""

    requests: Annotated[
        BuildRequests, Field(description="Resources of the build, and where they are to be had")
    ] = BuildRequests()
    timeout: Annotated[
        Timeout | None,
        Field(
            description="Time the build may take: seconds, or a text such as 30m; unset: the limit of who runs it",
            examples=[1800, "30m"],
        ),
    ] = None


class RunPhase(Part):
    """The runs."""

    requests: Annotated[
        RunRequests, Field(description="Resources of each run, and where they are to be had")
    ] = RunRequests()
    timeout: Annotated[
        Timeout | None,
        Field(
            description="Time each run may take: seconds, or a text such as 90s; unset: the limit of who runs it",
            examples=[90, "90s"],
        ),
    ] = None
    warmup: Annotated[
        int,
        Field(ge=0, le=MAX_WARMUP, description="Runs before the batch that are made and not counted"),
    ] = 0
    order: Annotated[
        Literal["sequential", "parallel"],
        Field(
            description="Whether runs wait for each other. Parallel ones disturb each other: it is for tests of "
            "behaviour, not of speed"
        ),
    ] = "sequential"
    isolation: Annotated[Isolation, Field(description="What a run is kept from")] = Isolation()
