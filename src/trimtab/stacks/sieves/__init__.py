"""Sieves: what is not tried, and why, before anything is built."""

from trimtab.stacks.sieves.licence import LicenceSieve
from trimtab.stacks.sieves.platform import PlatformSieve
from trimtab.stacks.sieves.rules import Rule, RulesSieve, read_rules
from trimtab.stacks.sieves.sieve import Sieve
from trimtab.stacks.sieves.vulnerable import Vulnerability, VulnerableSieve, read_osv
from trimtab.stacks.sieves.yanked import YankedSieve

__all__ = [
    "LicenceSieve",
    "PlatformSieve",
    "Rule",
    "RulesSieve",
    "Sieve",
    "Vulnerability",
    "VulnerableSieve",
    "YankedSieve",
    "read_osv",
    "read_rules",
]
