"""Item kinds."""
