"""Questions in and out of the formats of other systems: GIFT, Moodle XML and QTI."""
