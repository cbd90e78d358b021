"""The register of an event: who is there, by code, by staff number or by a facilitator's entry."""
