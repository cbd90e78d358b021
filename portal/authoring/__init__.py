"""From a published version, through a draft and a second person's review, to the next published version."""
