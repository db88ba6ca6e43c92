"""What an image is built from: a Containerfile, and the files it copies."""

from trimtab.inspection.context.containerfile import containerfile
from trimtab.inspection.context.lockfiles import lock_of
from trimtab.inspection.context.writing import Context, build_request, write_context

__all__ = ["Context", "build_request", "containerfile", "lock_of", "write_context"]
