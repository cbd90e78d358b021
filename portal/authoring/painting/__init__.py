"""How a drawing is seen: its shapes painted one over the other, and the words that stand on them."""
