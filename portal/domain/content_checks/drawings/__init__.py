"""Renders drawings: shapes painted in order, and the contrast of the text drawn over them."""
