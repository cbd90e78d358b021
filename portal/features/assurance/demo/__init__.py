"""The demo's assurance desk: what the fictional force did about four recommendations."""
