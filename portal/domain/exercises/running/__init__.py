"""The running of an exercise: its clock, what is on the screens, and the syndicates' decision logs."""
