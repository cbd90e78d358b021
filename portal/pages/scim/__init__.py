"""SCIM 2.0 at ``/scim/v2``, for the force's identity provider."""
