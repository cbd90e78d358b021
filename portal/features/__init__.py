"""What a force may switch off without losing a pass or a figure: each feature in a folder of its own."""
