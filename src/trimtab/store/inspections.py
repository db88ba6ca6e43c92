"""All inspections of a deployment."""

from collections.abc import Iterator

from trimtab.store.inspection import InspectionStore, folder
from trimtab.store.keys import is_name
from trimtab.store.store import Store

__all__ = ["Inspections"]


class Inspections:
    """The inspections of a deployment.

    Args:
        store: Where.
        deployment: Whose; None if the inspections are right in the store, as in published data sets.
    """

    def __init__(self, store: Store, deployment: str | None) -> None:
        self.store = store
        self.deployment = deployment

    def __getitem__(self, inspection_id: str) -> InspectionStore:
        """One of them, whether it is there or not.

        Raises:
            InvalidKeyError: No inspection may be called so.
        """
        return InspectionStore(inspection_id, self.store, self.deployment)

    def begun(self) -> list[str]:
        """The ids of all of which something is there, sorted; also of those that nobody may read yet."""
        folders, objects = self.store.children(folder(self.deployment))
        single = {each.key.rpartition("/")[2] for each in objects}
        return sorted(
            filter(is_name, {*folders, *(name for name in single if name.startswith("inspection-"))})
        )

    def iter_inspections(self) -> Iterator[str]:
        """The ids of all that may be read, sorted; each is looked at when it is its turn."""
        return (each for each in self.begun() if self[each].exists())
