"""Faults, by the name under which the catalogue's readers know them."""

from portal.formats.faults import Fault, Faults

__all__ = ["Fault", "Faults"]
