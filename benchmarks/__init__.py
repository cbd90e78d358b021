"""What is measured, against which floor, and the last figures: ``python -m benchmarks``."""
