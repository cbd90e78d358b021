"""Recommendations of an inspection: what the force does about each, its evidence, and its judgement."""
