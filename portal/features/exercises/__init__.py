"""Exercises: their folders and versions, runs in the room, decision logs, plenary and debrief."""
