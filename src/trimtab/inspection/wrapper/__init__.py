from trimtab.inspection.wrapper.bundle import entrypoint, files

__all__ = ["entrypoint", "files"]
