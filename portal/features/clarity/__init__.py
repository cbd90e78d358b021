"""Whether a lesson or question was clear: what learners answer, and what authors answer back."""
