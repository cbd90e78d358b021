"""Taught events: types, dates and places, bookings, syndicates, the register and attendance."""
