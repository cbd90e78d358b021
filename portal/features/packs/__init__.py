"""Answer packs: the force's reply to an inspection as one file, with what it rests on."""
