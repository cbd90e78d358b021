"""The words for whose data a route shows."""

# Whose data a route shows: nobody's in particular, a person by staff number, the owner of an attempt
# alone, a record (its owner and those who may see the owner), a job (who asked for it and those who see
# all jobs), or a session of one's own. A route of systems takes an access token alone: whatever people have
# opens nothing there; what tokens open is tried in tests/pages/api/test_sight.py.
NOBODY, PERSON, ATTEMPT, RECORD, OWN = "nobody", "person", "attempt", "record", "own"
JOB = "job"
SYSTEM = "system"
