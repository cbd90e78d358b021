"""Pages of exercises: the room, its logs, the plenary and the debrief."""
