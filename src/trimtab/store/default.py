"""The store that the settings name: for notebooks and scripts, which say only which inspection they want."""

from functools import cache

from trimtab.store.store import Store

__all__ = ["default_store"]


def default_store() -> tuple[Store, str]:
    """The store that the settings name, and the deployment; opened once for each URL.

    Raises:
        UnavailableError: It cannot be used.
    """
    from trimtab.settings import Settings  # 350 ms, and nobody else here needs it

    settings = Settings()
    return _opened(settings.store), settings.deployment


@cache
def _opened(url: str) -> Store:
    return Store.open(url)
