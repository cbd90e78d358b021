"""Forms of the authoring pages, one file for a page or two."""
