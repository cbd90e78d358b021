"""HTTP to addresses that people of the portal choose, kept from the force's own network."""
