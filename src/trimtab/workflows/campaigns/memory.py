"""What came of a campaign's proposals, in the catalog: whoever continues it asks the index nothing a second time."""

import asyncio
from collections.abc import Mapping

from trimtab.catalog import campaigns
from trimtab.stacks import Exclusion, Stack
from trimtab.stacks.ground import exclusion_document
from trimtab.stacks.settling import Settled
from trimtab.stacks.stack import Refusal
from trimtab.workflows.place import Place

__all__ = ["Proposals"]

_EXCLUSIONS = 20


class Proposals:
    """A `Memory` of candidates.

    Args:
        place: Where it is kept.
        campaign_id: Whose.
    """

    def __init__(self, place: Place, campaign_id: str) -> None:
        self._place, self._id = place, campaign_id
        with place.database.read() as connection:
            rows = campaigns.proposals(connection, campaign_id)
        locks = {each["stack"]: each["lock"] for each in rows if each["lock"] is not None}
        self._known = {each["number"]: _settled(each, locks) for each in rows}
        self._stacks = set(locks)
        self.judged = frozenset(each["stack"] for each in rows if each["verdict"] is not None)
        """Digests of the candidates that have their verdict: their inspections are over, with all that belongs to that."""

    @property
    def candidates(self) -> int:
        """How many candidates there are."""
        return len(self._stacks)

    def settled(self, number: int) -> Settled | None:
        """What came of a proposal."""
        return self._known.get(number)

    async def note(self, number: int, settled: Settled) -> None:
        """Keep what came of a proposal."""
        if number not in self._known:
            self._known[number] = settled
            await asyncio.to_thread(self._write, number, settled)

    def _write(self, number: int, settled: Settled) -> None:
        stack = settled.stack
        is_new = stack is not None and stack.digest not in self._stacks
        if is_new and stack is not None:
            self._stacks.add(stack.digest)
        row = {
            "number": number,
            "reason": settled.reason,
            "stack": stack and stack.digest,
            "lock": stack.lock if stack is not None and is_new else None,
            "refusal": settled.refusal and settled.refusal.explanation,
            "exclusions": list(map(exclusion_document, settled.exclusions[:_EXCLUSIONS])),
            "candidate": len(self._stacks) if is_new else None,
            "inspection": None,
        }
        with self._place.database.write() as connection:
            campaigns.note(connection, self._id, row)


def _settled(row: campaigns.Row, locks: Mapping[str, str]) -> Settled:
    stack = None if row["stack"] is None else Stack(locks[row["stack"]])
    refusal = None if row["refusal"] is None else Refusal(row["refusal"])
    return Settled(stack, row["reason"], refusal, tuple(Exclusion(**each) for each in row["exclusions"]))
