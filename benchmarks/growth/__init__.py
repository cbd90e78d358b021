"""(w) How costs grow with people, directives, modules, units, days of rosters, and facts learnt late."""
