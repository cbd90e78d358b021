"""Templates of pictures with places; authors write them as text."""
