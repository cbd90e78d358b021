"""Answer packs: the reply to one recommendation or to all, at a position, in one ZIP."""
