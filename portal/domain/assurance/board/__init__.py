"""The board: four answers on one screen, the week's changes with their causes, and a year of month ends."""
