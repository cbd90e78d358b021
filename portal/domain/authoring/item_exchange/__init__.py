"""Questions in and out of the formats of other systems: Moodle XML and QTI."""
