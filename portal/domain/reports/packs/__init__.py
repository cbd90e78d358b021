"""Packs: everything that answers an inspector or an FOI request about one directive, in one ZIP."""
