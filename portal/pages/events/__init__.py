"""Pages of taught events: dates and places, bookings, the register, and figures."""
