"""The status algebra: facts and rules in, a status for any date out."""
