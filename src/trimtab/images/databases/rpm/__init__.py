"""RPM's packages: its database in any of the three forms it has had, read without RPM."""

from trimtab.images.databases.rpm.packages import INTERESTS, packages

__all__ = ["INTERESTS", "packages"]
